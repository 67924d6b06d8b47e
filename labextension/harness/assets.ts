/** The views of datasets, models, pipelines and uploads in their states, for eyes and for pictures. */

import type { Assets } from "../src/state/assets";
import { type Board, freshBoard, reduceBoard } from "../src/state/board";
import { type Link, NO_LINK } from "../src/state/connection";
import type { ModelSight } from "../src/state/modelcard";
import type { Pipelines } from "../src/state/pipelines";
import type { Preview } from "../src/state/preview";
import { fresh, type Upload } from "../src/state/uploads";
import { mount as mountDataset } from "../src/views/dataset";
import { mount as mountModel } from "../src/views/modelcard";
import { mount as mountPanel } from "../src/views/panel";
import { mount as mountPipeline } from "../src/views/pipelinecard";
import { aDataset, aDatasetSight, aModel, aModelSight, aMonitoring, anEndpoint, aPipeline, aPreview, aVersion, MODEL_ID, NOW } from "../test/assets";

const HAPPENED = { time: new Date(NOW).toISOString(), seq: 1, priority: "low", model_id: MODEL_ID } as const;
const never = new AbortController().signal;

/** Every view in every state under `states`; `name` is what everything is called that users name. */
export function showAssets(width: number, name: string | null): void {
  const place = document.getElementById("states") as HTMLElement;
  place.style.width = `${width}px`;
  place.replaceChildren();
  const called = (otherwise: string) => name ?? otherwise;
  const box = (id: string, show: (el: HTMLElement) => void) => {
    const el = document.createElement("div");
    el.id = id;
    el.style.marginBottom = "14px";
    place.append(el);
    show(el);
  };
  const wide = wideData(called);
  const versions = [aVersion(), aVersion({ version: 2, filename: called("customers-2026.csv"), sha256: "77".repeat(32) })];
  const dataset = aDataset({ name: called("customers"), versions });
  const acts = { open: () => {}, version: () => {}, insert: async () => true };
  box("0-dataset", (el) => mountDataset(el, aDatasetSight({ dataset, preview: wide }), never, acts));
  box("1-dataset-gone", (el) => mountDataset(el, aDatasetSight({ dataset: null, preview: null, lineage: null, trouble: `No such dataset any more. ${name ?? ""}` }), never, acts));
  const models = [aModel({ name: called("churn-rf"), status: "deployed" }), aModel({ name: called("churn-rf"), model_id: "m-3", version: 3, aliases: [] })];
  const example = { tenure: 34, contract: called("Month-to-month"), senior: false };
  const answer = { model_id: "m", name: "churn-rf", version: 4, predictions: [called("No")], probabilities: [[0.8634, 0.1366]], classes: [called("No"), "Yes"], ms: 3.2 };
  const faults = [{ column: "tenure", message: `is "${called("many")}"; it needs a number` }];
  const drift = { [called("tenure")]: { psi: 0.31, ks: 0.2, level: "drift", rows: 900 }, contract: { psi: 0.01, ks: null, level: "none", rows: 900 } };
  const monitoring = aMonitoring({ drift, hours: Array.from({ length: 14 }, (_, i) => ({ hour: new Date(NOW - i * 5_400_000).toISOString(), predictions: (i * 37) % 90, errors: 0 })) });
  const endpoint = anEndpoint({ name: called("churn-rf"), history: ["m-3"], error: name });
  const sights: Record<string, Partial<ModelSight>> = {
    "2-overview": {},
    "3-try": { endpoint, example, answer },
    "4-try-wrong": { endpoint, example, faults },
    "5-try-not": { models: [aModel({ name: called("churn-rf") })] },
    "6-deploy": { endpoint, monitoring },
    "7-deploy-not": { models: [aModel({ name: called("churn-rf") })] },
    "8-deploy-other": { id: "m-3", endpoint },
    "9-history": { history: [{ ...HAPPENED, type: "model_aliased", name: "", alias: called("champion"), version: 4, previous: null, by: called("ada") }] },
  };
  for (const [id, more] of Object.entries(sights)) {
    const part = (["overview", "try", "deploy", "history"] as const).find((one) => id.includes(one));
    const doing = { open: () => {}, deploy: () => {}, undeploy: () => {}, rollback: () => {}, predict: () => {}, promote: async () => {}, demote: async () => {}, retire: async () => {}, remove: async () => {}, save: async () => {} };
    box(id, (el) => mountModel(el, aModelSight({ models, ...more }), never, doing, part));
  }
  const pipeline = aPipeline({ name: called("churn"), recipe: { ...aPipeline().recipe, target: called("churn") } });
  const door = doorOf(called);
  const one = { door, ran: () => {}, changed: () => {}, names: () => [] };
  for (const [id, entry] of [["10-pipeline", null], ["11-pipeline-compare", "compare"], ["12-pipeline-rename", "rename"]] as const) {
    box(id, (el) => {
      mountPipeline(el, { id: pipeline.id, pipeline, trouble: null, now: NOW }, never, one);
      if (entry) choose(el, entry);
      else el.shadowRoot?.querySelectorAll<HTMLElement>(".recipe button").forEach((edit) => edit.click());
    });
  }
  box("13-pipeline-gone", (el) => mountPipeline(el, { id: pipeline.id, pipeline: null, trouble: "No such pipeline any more.", now: NOW }, never, one));
  box("14-panel", (el) => {
    const board = boardOf({ datasets: [dataset], models, endpoints: [endpoint], pipelines: [pipeline, { ...pipeline, id: "p-2", newest: 1, version: 1 }] }, called);
    const upload = { send: () => {}, drop: () => {} };
    const folded = ["running", "jobs", "activity", "system"];
    mountPanel(el, board, never, { act: () => {}, order: () => {}, open: () => {}, folded: () => folded, fold: () => {}, upload, pipelines: { door, changed: () => {} } })(board);
  });
}

function choose(el: HTMLElement, entry: string): void {
  el.shadowRoot?.querySelector<HTMLElement>("[data-testid=mlops-pipeline-more]")?.click();
  el.shadowRoot?.querySelector<HTMLElement>(`[data-testid=mlops-menu-pipeline-${entry}]`)?.click();
}

/** As a server would answer. */
function doorOf(called: (name: string) => string): Pipelines {
  return {
    datasets: async () => [aDataset({ name: called("customers") })],
    keep: async () => aPipeline(),
    versions: async () => [1, 2, 3].map((version) => ({ version, by: called("ada"), time: new Date(NOW).toISOString() })),
    compare: async () => [{ name: called("max_depth"), before: 3, after: 5 }, { name: "data", before: { path: `/data/${called("customers.csv")}` }, after: { path: "/data/customers-2026.csv" } }],
    run: async () => "j-7f3a2b4c5d6e",
    save: async (seen) => seen,
    duplicate: async (one) => one,
    remove: async () => {},
    restore: async () => {},
    script: () => null,
  };
}

function boardOf(lists: Partial<Assets>, called: (name: string) => string): Board {
  const link: Link = { ...NO_LINK, phase: "connected", transport: "websocket", rtt: 0.038, heardAt: NOW };
  const kinds: [Upload["phase"], Partial<Upload>][] = [
    ["sending", { sent: 0 }], ["cut", { sent: 40e6 }], ["waiting", {}], ["reading", { sent: 90e6 }], ["failed", { line: 12, error: "21 fields expected, 22 found" }],
    ["done", { dataset: { id: aDataset().id, version: 1 } }], ["same", { dataset: { id: aDataset().id, version: 1 } }],
  ];
  const uploads = kinds.flatMap(([phase, more], i) => {
    const upload = (sent: Partial<Upload>, at: number) => ({ kind: "upload", at, key: phase, change: { ...fresh(phase, called(`part-${i}.csv`), 90e6), phase, ...more, ...sent } }) as const;
    return phase === "sending" ? [upload({}, NOW), upload({ sent: 1e6 }, NOW), upload({ sent: 12e6, pace: [[NOW, 1e6], [NOW + 2000, 12e6]] }, NOW + 2000)] : [upload({}, NOW)];
  });
  const before = [{ kind: "link", at: NOW, link } as const, { kind: "snapshot", at: NOW, jobs: [] } as const, { kind: "listed", at: NOW, lists } as const];
  return [...before, ...uploads].reduce(reduceBoard, freshBoard(NOW));
}

/** More columns than any page has room for. */
function wideData(called: (name: string) => string): Preview {
  const { columns, rows } = aPreview();
  const many = Array.from({ length: 9 }, () => columns).flat();
  return aPreview({
    columns: many.map((one, i) => ({ ...one, name: `${called(one.name)}${i || ""}`, missing: i * 391, ...(one.top && { top: one.top.map((two) => ({ ...two, value: called(String(two.value)) })) }) })),
    rows: Array.from({ length: 20 }, (_, at) => many.map((_, i) => (i % 2 ? (at % 3 ? called("No") : null) : (rows[0]?.[0] ?? 1)))),
    problems: [{ column: called("TotalCharges"), message: "11 blanks read as text" }],
    suggested_target: { name: called("churn"), reason: "two values, the last column" },
  });
}
