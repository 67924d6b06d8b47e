import { describe, expect, test, vi } from "vitest";
import { STAGES } from "../../src/protocol";
import { changed, nextName, type Pipeline, type Pipelines, runOf, shown, steps, valueOf } from "../../src/state/pipelines";
import { mount as mountCard } from "../../src/views/pipelinecard";
import { mount } from "../../src/views/pipelines";
import { aDataset, aPipeline, aVersion, DATASET_ID } from "../assets";
import { aJob, TIME } from "../builders";

const CHURN = aPipeline({ name: "<b>churn</b>" });

/** A door of pipelines that remembers what it was asked. */
function aDoor(asked: unknown[], more: Partial<Pipelines> = {}): Pipelines {
  return {
    datasets: async () => [aDataset({ versions: [aVersion(), aVersion({ version: 2 })] })],
    versions: async (one) => Array.from({ length: one.newest }, (_, i) => ({ version: i + 1, time: TIME, by: "ada" })),
    compare: async (_, from, to) => [{ name: "max_depth", before: from, after: to }],
    run: async (one) => `j-of-${one.name}`,
    save: async (seen, recipe, name = seen.name) => {
      asked.push(["save", seen.version, recipe, name]);
      return { ...seen, version: seen.version + 1, newest: seen.version + 1, recipe, name };
    },
    keep: async (jobId, name) => aPipeline({ id: jobId, name }),
    duplicate: async (one, name) => {
      asked.push(["duplicate", one.version, name]);
      return { ...one, name };
    },
    remove: async (one) => void asked.push(["remove", one.id]),
    restore: async (one) => void asked.push(["restore", one.id]),
    script: (one) => `/script/${one.id}`,
    ...more,
  };
}

function pipelines(all: Pipeline[] | null, more: Partial<Pipelines> = {}) {
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  const asked: unknown[] = [];
  const acts = { door: aDoor(asked, more), open: (id: string) => asked.push(["open", id]), changed: () => asked.push("changed") };
  const update = mount(el, new AbortController().signal, acts);
  const find = (testid: string) => el.querySelector<HTMLElement>(`[data-testid="mlops-${testid}"]`) as HTMLInputElement;
  const choose = (entry: string) => {
    // happy-dom has no popovers.
    Object.assign(find("pipeline-menu"), { showPopover() {}, hidePopover() {} });
    find("pipeline-more").click();
    find(`menu-pipeline-${entry}`).click();
  };
  return { el, asked, update, find, choose, count: update(all, "") };
}

describe("pipelines in the panel", () => {
  test("are told by name, version and what they train, and a name is text", () => {
    const { el, asked, find, count } = pipelines([CHURN]);
    expect(count).toBe(1);
    expect(el.querySelector("[data-pipeline]")?.textContent).toContain("<b>churn</b> v3rf on customers.csv → churn");
    expect(el.querySelector("a")?.getAttribute("href")).toBe("/script/p-7f3a00000000");
    find("pipeline-open").click();
    expect(asked).toEqual([["open", CHURN.id]]);
  });

  test("say how the first is made, once it is known that there is none", () => {
    const { el, update } = pipelines(null);
    expect(el.querySelector(".line-of")?.textContent).toBe("Not known: the server has not answered yet.");
    expect(update([], "")).toBe(0);
    expect(el.querySelector("code")?.textContent).toBe('mlops.save_pipeline("churn", job)');
  });

  test("are found by name and words", () => {
    const { el, update } = pipelines([CHURN]);
    expect(update([CHURN, aPipeline({ id: "p-2", name: "weights" })], "weigh rf")).toBe(1);
    expect([...el.querySelectorAll(".name")].map((one) => one.textContent)).toEqual(["weights"]);
    update([CHURN], "nothing");
    expect(el.querySelector(".line-of")?.textContent).toBe("No pipeline like that.");
  });

  test("run, and the job is opened", async () => {
    const { asked, find } = pipelines([CHURN]);
    find("pipeline-run").click();
    await vi.waitFor(() => expect(asked).toContainEqual(["open", "j-of-<b>churn</b>"]));
  });

  test.each([false, true])("an answer that comes late takes the focus from nobody who went on (%s)", async (wentOn) => {
    let answer = (_: Pipeline) => {};
    const { asked, find, choose } = pipelines([CHURN], { duplicate: () => new Promise((resolve) => (answer = resolve)) });
    choose("duplicate");
    find("naming").focus();
    find("named").click();
    if (wentOn) find("pipeline-open").focus();
    answer(CHURN);
    await vi.waitFor(() => expect(asked).toContain("changed"));
    const holder = find(wentOn ? "pipeline-open" : "pipeline-edit");
    expect(document.activeElement).toBe(holder);
    // happy-dom lets what is removed keep the focus.
    holder.blur();
  });

  test("are deleted in two steps, and come back within ten seconds", async () => {
    const { asked, find } = pipelines([CHURN]);
    find("pipeline-delete").click();
    await vi.waitFor(() => expect(find("pipeline-delete").textContent).toBe("Delete?"));
    await vi.waitFor(() => expect(find("pipeline-delete").disabled).toBe(false));
    find("pipeline-delete").click();
    await vi.waitFor(() => expect(find("undo")).not.toBeNull());
    find("undo").click();
    await vi.waitFor(() => expect(asked).toContainEqual(["restore", CHURN.id]));
    expect(asked.filter(([what]: any) => what === "remove")).toEqual([["remove", CHURN.id]]);
  });

  test("are edited stage by stage, and kept as the next version of what was seen", async () => {
    const { asked, find, el } = pipelines([CHURN]);
    find("pipeline-edit").click();
    await vi.waitFor(() => expect(find("recipe")).not.toBeNull());
    expect([...el.querySelectorAll(".recipe > li > b")].map((b) => b.textContent)).toEqual([...STAGES]);
    find("field-params").value = '{"max_depth": 5}';
    find("field-cv").value = "3";
    find("save-pipeline").click();
    await vi.waitFor(() => expect(asked).toContainEqual(["save", 3, { ...CHURN.recipe, params: { max_depth: 5 }, cv: 3 }, CHURN.name]));
    await vi.waitFor(() => expect(find("recipe")).toBeNull());
    expect(find("pipelines-told").textContent).toBe("<b>churn</b> is at version 4.");
  });

  test("move to another version of a dataset, and hold another table out", async () => {
    const data = { path: null, name: "customers", dataset: DATASET_ID, version: 1 };
    const recipe = { ...CHURN.recipe, data };
    const { asked, find, el } = pipelines([aPipeline({ recipe })]);
    find("pipeline-edit").click();
    await vi.waitFor(() => expect(find("tables").children).toHaveLength(3));
    const offered = [...el.querySelectorAll("datalist option")].map((one) => [one.getAttribute("value"), one.getAttribute("label")]);
    expect(offered).toEqual([["customers v2", null], ["customers v1", null], ["customers", "customers: the newest at each run"]]);
    expect([find("field-data").value, find("field-data").getAttribute("list")]).toEqual(["customers v1", find("tables").id]);
    find("field-data").value = "customers v2";
    find("field-test").value = " /data/held.csv ";
    find("save-pipeline").click();
    const test = { path: "/data/held.csv", name: "held.csv" };
    await vi.waitFor(() => expect(asked).toContainEqual(["save", 3, { ...recipe, data: { ...data, version: 2 }, test }, "churn"]));
  });

  test("are edited as paths where nobody says which datasets there are", async () => {
    const { asked, find } = pipelines([CHURN], { datasets: () => Promise.reject(new Error("no answer")) });
    find("pipeline-edit").click();
    await vi.waitFor(() => expect(find("recipe")).not.toBeNull());
    find("field-data").value = "/data/other.csv";
    find("save-pipeline").click();
    const data = { path: "/data/other.csv", name: "other.csv" };
    await vi.waitFor(() => expect(asked).toContainEqual(["save", 3, { ...CHURN.recipe, data }, CHURN.name]));
  });

  test("say what is no JSON, and what the server refuses, and keep what was written", async () => {
    const refusal = new Error('pipeline "churn" is at version 4, and these changes were made to 3.');
    const { find } = pipelines([CHURN], { save: () => Promise.reject(refusal) });
    find("pipeline-edit").click();
    await vi.waitFor(() => expect(find("recipe")).not.toBeNull());
    find("field-params").value = "{";
    find("save-pipeline").click();
    await vi.waitFor(() => expect(find("recipe-told").textContent).toContain("params is no JSON"));
    expect(find("field-params").getAttribute("aria-invalid")).toBe("true");
    find("field-params").value = "{}";
    find("save-pipeline").click();
    await vi.waitFor(() => expect(find("recipe-told").textContent).toBe(refusal.message));
    expect(find("field-params").value).toBe("{}");
  });

  test("stay as they are written while others change, and follow where nothing was written", async () => {
    const { find, update } = pipelines([CHURN]);
    find("pipeline-edit").click();
    await vi.waitFor(() => expect(find("recipe")).not.toBeNull());
    const later = { ...CHURN, version: 4, newest: 4, recipe: { ...CHURN.recipe, cv: 7 } };
    const box = find("field-cv");
    (document.activeElement as HTMLElement).blur();
    update([later], "");
    expect(find("field-cv").value).toBe("7");
    find("field-cv").value = "9";
    update([{ ...later, version: 5, newest: 5 }], "");
    expect(find("field-cv").value).toBe("9");
    expect(box.isConnected).toBe(false);
  });

  test("are called anew by the version that was seen", async () => {
    const { asked, find, choose } = pipelines([CHURN]);
    choose("rename");
    expect(find("naming").value).toBe("<b>churn</b>");
    find("naming").value = " leavers ";
    find("named").click();
    await vi.waitFor(() => expect(find("pipelines-told").textContent).toBe("<b>churn</b> is called leavers now."));
    expect(asked).toEqual([["save", 3, CHURN.recipe, "leavers"], "changed"]);
    expect(find("naming")).toBeNull();
  });

  test("are duplicated under a name that is free, and what is refused is said beside it", async () => {
    const { asked, find, choose } = pipelines([CHURN, aPipeline({ id: "p-2", name: "<b>churn</b>-2" })]);
    choose("duplicate");
    expect(find("naming").value).toBe("<b>churn</b>-3");
    find("named").click();
    await vi.waitFor(() => expect(asked).toEqual([["duplicate", 3, "<b>churn</b>-3"], "changed"]));
    const refused = pipelines([CHURN], { duplicate: () => Promise.reject(new Error("there is one already")) });
    refused.choose("duplicate");
    refused.find("named").click();
    await vi.waitFor(() => expect(refused.find("name-told").textContent).toBe("there is one already"));
    refused.find("naming").dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    expect(refused.find("naming")).toBeNull();
  });

  test("are compared by any two of their versions, the last two to begin with", async () => {
    const { find, choose } = pipelines([CHURN]);
    choose("compare");
    await vi.waitFor(() => expect(find("differences").textContent).toBe("max_depth2 → 3"));
    find("compare-from").value = "1";
    find("compare-from").dispatchEvent(new Event("change"));
    await vi.waitFor(() => expect(find("differences").textContent).toBe("max_depth1 → 3"));
    const single = pipelines([aPipeline({ version: 1, newest: 1 })]);
    single.choose("compare");
    expect(single.find("menu-pipeline-compare").getAttribute("aria-disabled")).toBe("true");
    const same = pipelines([CHURN], { compare: async () => [] });
    same.choose("compare");
    await vi.waitFor(() => expect(same.find("compare-told").textContent).toBe("No difference in what they ask for."));
  });
});

describe("a pipeline in a place of its own", () => {
  test("has its recipe open, is kept as the next version, and says when it is gone", async () => {
    const el = document.createElement("div");
    document.body.replaceChildren(el);
    const asked: unknown[] = [];
    const acts = { door: aDoor(asked), ran: (id: string) => asked.push(id), changed: () => {}, names: () => [] };
    const sight = { id: CHURN.id, pipeline: CHURN, trouble: null, now: Date.parse(TIME) };
    const { update } = mountCard(el, sight, new AbortController().signal, acts);
    const root = el.shadowRoot as ShadowRoot;
    const find = (testid: string) => root.querySelector<HTMLElement>(`[data-testid="mlops-${testid}"]`) as HTMLInputElement;
    expect(find("pipeline-title").textContent).toBe("<b>churn</b> v3");
    expect(find("pipeline-edit")).toBeNull();
    find("field-cv").value = "3";
    find("save-pipeline").click();
    await vi.waitFor(() => expect(find("pipeline-told").textContent).toBe("<b>churn</b> is at version 4."));
    expect(find("field-cv").value).toBe("3");
    // What was asked for before is answered now: it takes nothing back.
    update(sight);
    expect(find("field-cv").value).toBe("3");
    find("pipeline-run").click();
    await vi.waitFor(() => expect(asked).toContain("j-of-<b>churn</b>"));
    update({ ...sight, pipeline: null, trouble: "No such pipeline any more." });
    expect(find("pipeline-trouble").textContent).toBe("No such pipeline any more.");
    expect(find("recipe")).toBeNull();
  });

  test("comes back where it was deleted", async () => {
    const el = document.createElement("div");
    document.body.replaceChildren(el);
    const asked: unknown[] = [];
    const acts = { door: aDoor(asked), ran: () => {}, changed: () => asked.push("changed"), names: () => [] };
    const sight = { id: CHURN.id, pipeline: CHURN, trouble: null, now: Date.parse(TIME) };
    const { update } = mountCard(el, sight, new AbortController().signal, acts);
    const find = (testid: string) => el.shadowRoot?.querySelector<HTMLButtonElement>(`[data-testid="mlops-${testid}"]`) as HTMLButtonElement;
    find("pipeline-delete").click();
    await vi.waitFor(() => expect(find("pipeline-delete").disabled).toBe(false));
    find("pipeline-delete").click();
    await vi.waitFor(() => expect(asked).toEqual([["remove", CHURN.id], "changed"]));
    update({ ...sight, pipeline: null, trouble: "No such pipeline any more." });
    find("undo").click();
    await vi.waitFor(() => expect(asked.slice(2)).toEqual([["restore", CHURN.id], "changed"]));
    update(sight);
    expect(find("recipe")).not.toBeNull();
  });
});

test("what is written and read again is the same", () => {
  for (const { fields } of steps(CHURN.recipe)) {
    for (const field of fields) {
      if (field.name === "task" || field.name === "target_na") continue;
      expect(changed(CHURN.recipe, field, shown(CHURN.recipe, field), [])[field.name] ?? null).toEqual(CHURN.recipe[field.name] ?? null);
    }
  }
});

test("its last run is the newest of its jobs", () => {
  const pipeline = { id: CHURN.id, name: "churn", version: 3 };
  const [early, late] = [aJob({ job_id: "j-1", pipeline, submitted_time: "2026-11-21T14:00:00Z" }), aJob({ job_id: "j-2", pipeline, submitted_time: "2026-11-21T14:01:00Z" })];
  expect(runOf([late, early, aJob()], CHURN.id)).toBe(late);
  expect(runOf([aJob()], CHURN.id)).toBeNull();
});

test("values and names are as people write them", () => {
  const said = [null, "rf", 5, ["id"], { max_depth: 5 }, { path: "/a/b.csv" }, { dataset: "d-1", name: "customers", version: 2 }].map(valueOf);
  expect(said).toEqual(["—", "rf", "5", '["id"]', '{"max_depth":5}', "/a/b.csv", "customers v2"]);
  expect(nextName("churn", ["churn", "churn-2"])).toBe("churn-3");
});
