import { expect, test, vi } from "vitest";
import type { DatasetSight } from "../../src/state/preview";
import { type DatasetActs, mount } from "../../src/views/dataset";
import { aDataset, aDatasetSight, aPreview, aVersion, MODEL_ID } from "../assets";

function shown(fields: Partial<DatasetSight> = {}, more: Partial<DatasetActs> = {}) {
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  const asked: unknown[] = [];
  const acts = { open: (id: string) => asked.push(id), version: (version: number) => asked.push(version), ...more };
  const update = mount(el, aDatasetSight(fields), new AbortController().signal, acts);
  const root = el.shadowRoot as ShadowRoot;
  const find = (testid: string) => root.querySelector<HTMLElement>(`[data-testid="mlops-${testid}"]`) as HTMLElement;
  const text = (testid: string) => (find(testid).textContent ?? "").replaceAll("\u202f", " ");
  return { asked, find, root, text, update };
}

test("problems come first, then the target that is suggested, with its reason and its balance", () => {
  const { root, text } = shown();
  expect(text("problems")).toBe("TotalCharges: 11 blanks read as text");
  expect(root.querySelector<HTMLSelectElement>("select")?.value).toBe("churn");
  expect(root.querySelector(".target .note")?.textContent).toBe("suggested: two values, the last column");
  expect(text("balance")).toBe("No73 % (5 163)Yes27 % (1 869)");
  expect(text("dataset-code")).toBe('mlops.train("customers", target="churn")');
});

test("another target is another line and another picture", () => {
  const { find, root, text } = shown();
  const target = find("target") as HTMLSelectElement;
  target.value = "tenure";
  target.dispatchEvent(new Event("change"));
  expect(text("dataset-code")).toBe('mlops.train("customers", target="tenure")');
  expect(root.querySelector(".spread svg")?.getAttribute("aria-label")).toBe("0.0000 to 72.00, most from 48.00 to 72.00");
});

test("each column tells its kind, how much is missing, how many values, and which", () => {
  const { root, text } = shown();
  const heads = [...root.querySelectorAll("[data-testid=mlops-column]")].map((one) => (one.textContent ?? "").replaceAll("\u202f", " "));
  expect(heads[1]).toBe("churntext · 2 values0.2 % missingNo73 %Yes27 %");
  expect(heads[0]).toContain("tenurenumber · 73 valuesnone missing");
  expect(text("preview")).toContain("134.00—".slice(1));
});

test("what is infinite is no gap", () => {
  const preview = aPreview();
  const rest = preview.columns.slice(1).map(() => null);
  const { root } = shown({ preview: { ...preview, rows: [["inf", ...rest], ["-inf", ...rest], [null, ...rest]] } });
  const cells = [...root.querySelectorAll("tbody td:nth-of-type(1)")].map((one) => [one.textContent, one.className]);
  expect(cells).toEqual([["inf", "number"], ["-inf", "number"], ["—", "none"]]);
});

test("the line goes where it can be run; of an older version by its number", async () => {
  const put: string[] = [];
  const versions = [aVersion(), aVersion({ version: 2 })];
  const { find } = shown({ dataset: aDataset({ versions }), version: 1 }, { insert: async (lines) => put.push(lines) > 0 });
  find("dataset-train").click();
  await vi.waitFor(() => expect(put).toEqual(['import mlops_jupyter as mlops\n\njob = mlops.train("customers@1", target="churn")']));
});

test("versions and what was learned lead on", () => {
  const { asked, find } = shown();
  for (const button of find("versions").querySelectorAll("button")) button.click();
  for (const button of find("lineage").querySelectorAll("button")) button.click();
  expect(asked).toEqual([1, MODEL_ID, "j-7f3a2b4c5d6e"]);
  expect([...find("lineage").querySelectorAll(".note")].map((note) => note.textContent)).toEqual(["model", "job, tested on it"]);
});

test("while nothing is known of it, nothing is claimed", () => {
  const { find, text } = shown({ dataset: null, preview: null, lineage: null, trouble: "No such dataset any more." });
  expect(text("dataset-trouble")).toBe("No such dataset any more.");
  expect([find("dataset-train").hidden, text("dataset-result"), text("lineage")]).toEqual([true, "", ""]);
});

test("hostile names are text", () => {
  const name = '<img src=x onerror="alert(1)">';
  const column = { name, kind: name, dtype: name, missing: 1, distinct: 1, warnings: [], top: [{ value: name, count: 7000 }] };
  const preview = aPreview({ columns: [column], rows: [[name]], problems: [{ message: name }], suggested_target: { name, reason: name } });
  const { root, text } = shown({ dataset: aDataset({ name, versions: [aVersion({ filename: name, created_by: name })] }), preview });
  expect(root.querySelector("img")).toBeNull();
  expect(text("dataset-code")).toBe(`mlops.train(${JSON.stringify(name)}, target=${JSON.stringify(name)})`);
});
