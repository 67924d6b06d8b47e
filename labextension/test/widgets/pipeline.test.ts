import type { AnyModel } from "@anywidget/types";
import { expect, test, vi } from "vitest";
import { savedBoard } from "../../src/widgets/board";
import widget from "../../src/widgets/pipeline";
import { aPipeline, PIPELINE_ID } from "../assets";
import { aJob } from "../builders";
import { Kernel } from "../client/kernel";

/** A pipeline as a kernel shows it whose page cannot reach the server. */
function shown() {
  const kernel = new Kernel();
  kernel.answers = { pipelines: { pipelines: [aPipeline()] }, datasets: { datasets: [] }, "jobs?limit=50": { jobs: [], epoch: "store-1", head: 0 } };
  kernel.open();
  const model = { ...kernel.model, get: (trait: string) => (trait === "subject" ? PIPELINE_ID : kernel.model.get(trait as never)) };
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  const leave = widget.render({ model: model as unknown as AnyModel<never>, el });
  const root = () => el.shadowRoot as ShadowRoot;
  const find = (testid: string) => root().querySelector<HTMLElement>(`[data-testid="mlops-${testid}"]`) as HTMLInputElement;
  const asked = async (method: string) => vi.waitFor(() => expect(kernel.asked.at(-1)?.method).toBe(method)).then(() => kernel.asked.at(-1));
  return { asked, el, find, kernel, leave, root };
}

test("a pipeline in a cell is changed through the kernel, on the version that was seen", async () => {
  const { asked, find, kernel, el } = shown();
  await vi.waitFor(() => expect(find("pipeline-title").textContent).toBe("churn v3"));
  expect(el.dataset["lmSuppressShortcuts"]).toBe("true");
  // No page of a server is there from which a file could be fetched.
  expect(find("pipeline-script")).toBeNull();
  find("field-cv").value = "3";
  find("save-pipeline").click();
  expect(await asked("PUT")).toMatchObject({ path: `pipelines/${PIPELINE_ID}`, match: '"3"', body: { name: "churn", recipe: { cv: 3 } } });
  kernel.answer({ ...aPipeline(), version: 4, newest: 4, recipe: { ...aPipeline().recipe, cv: 3 } });
  await vi.waitFor(() => expect(find("pipeline-told").textContent).toBe("churn is at version 4."));
});

test("its run is a card below it", async () => {
  const { asked, find, kernel, leave, root } = shown();
  await vi.waitFor(() => expect(find("pipeline-run")).not.toBeNull());
  find("pipeline-run").click();
  expect(await asked("POST")).toMatchObject({ path: `pipelines/${PIPELINE_ID}/run`, body: { version: 3 } });
  kernel.answer({ ...aJob(), job_id: "j-new" });
  await vi.waitFor(() => expect(root().querySelector("[data-mlops-job]")?.getAttribute("data-mlops-job")).toBe("j-new"));
  leave();
  expect(root().childElementCount).toBe(0);
});

test("what a notebook has saved of one says which", () => {
  expect(savedBoard({ version: 1, part: "pipeline", kernel: null, subject: PIPELINE_ID })).toEqual({ part: "pipeline", subject: PIPELINE_ID });
  expect(savedBoard({ version: 1, part: "pipeline", kernel: null })).toBeNull();
});
