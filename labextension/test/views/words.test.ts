/**
 * No view says a word that is not to be translated. A language of one letter speaks; the records hold no letters of
 * their own. What is left of the Latin alphabet in the document has bypassed `trans`.
 */

import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { ActivityUpdate, DriftRaised, Event, HealthChange, Job, SystemMetrics } from "../../src/protocol";
import type { Model } from "../../src/state/assets";
import { type Board, type BoardHappening, freshBoard, reduceBoard } from "../../src/state/board";
import type { Happening, Source } from "../../src/state/card";
import { charts, notFinite, summary as described } from "../../src/state/charts";
import type { Link } from "../../src/state/connection";
import type { ModelSight } from "../../src/state/modelcard";
import { ofDrift, ofHealth, ofJobs, ofModels } from "../../src/state/notices";
import type { Pipelines } from "../../src/state/pipelines";
import { summary } from "../../src/state/rows";
import { append, NO_SERIES } from "../../src/state/series";
import { fresh } from "../../src/state/uploads";
import { sentence } from "../../src/views/announcer";
import { mount as mountDataset } from "../../src/views/dataset";
import { mount as mountModel } from "../../src/views/modelcard";
import { mount as mountPipeline } from "../../src/views/pipelinecard";
import { mount as mountPipelines } from "../../src/views/pipelines";
import { mount } from "../../src/views/panel";
import { ENGLISH, speak } from "../../src/words";
import { aDataset, aDatasetSight, aModel, aModelSight, aMonitoring, anEndpoint, aPipeline, aPreview, aVersion } from "../assets";
import { aCandidate, aJob, metricPoints, points, stagesAt, TIME } from "../builders";
import { written } from "./canvas";
import { LIVE, Shown } from "./page";

/** Symbols of units and numbers, the product's name, metrics by their own names; days and times, which the browser says. */
const NOT_WORDS = /\b(ms|min|kB|PSI|KS|KiB|MiB|GiB|MB|GB|NaN|mlops|(train|val|test)_\w+|cv_\w+|Nov|AM|PM)\b/g;
const NOW = Date.parse(TIME);

/** Every letter but those of the values becomes another alphabet's. */
function foreign(text: string): string {
  return text.replace(/[A-Za-z]/g, "ж");
}

beforeAll(() => {
  speak({
    __: (text, ...values) => ENGLISH.__(foreign(text), ...values),
    _n: (one, many, n, ...values) => ENGLISH._n(foreign(one), foreign(many), n, ...values),
  });
});
afterAll(() => speak(ENGLISH));

function bypassed(said: string): string[] {
  return said.replace(NOT_WORDS, "").match(/[A-Za-z]{2,}/g) ?? [];
}

/** All a page says, shown or not: texts and the names of things. Code is code in every language. */
function words(root: Element | ShadowRoot): string[] {
  const told: string[] = [];
  for (const node of root.querySelectorAll("*")) {
    if (node.closest("style, code")) continue;
    for (const child of node.childNodes) if (child.nodeType === Node.TEXT_NODE) told.push(child.textContent ?? "");
    for (const name of ["aria-label", "aria-valuetext", "aria-description", "title", "placeholder", "alt"]) told.push(node.getAttribute(name) ?? "");
  }
  return told;
}

/** A record whose own texts have no letters. */
const SILENT: Partial<Job> = {
  job_id: "j-000000000000",
  name: "№1",
  estimator: "№2",
  target: "№3",
  metric: "7",
  dataset: { name: "№4", rows: 7043, columns: 21 } as Job["dataset"],
  parameters: { 1: 2 },
  changes: [{ name: "№5", before: 1, after: 2 }],
  rerun_of: "j-111111111111",
  followed_by: null,
  attempt: 2,
  priority: 3,
  best: { name: "7", value: 0.9, step: 3 },
  resources: { cpu_seconds: 12, peak_memory_bytes: 1e9 },
  candidates: [
    aCandidate({ label: "№6", scores: [1, null], mean: 1, spread: 0.1, chosen: true }),
    aCandidate({ index: 1, label: "№7", scores: [null, null], error: "№8" }),
  ],
  findings: [
    { severity: "fatal", column: "№9", message: "!" },
    { severity: "warning", column: null, message: "!" },
    { severity: "info", column: null, message: "!" },
  ] as Job["findings"],
  alerts: [{ rule: "stalled", message: "!", time: TIME, metric: null, evidence: { "№": 3, "№_№": null } }],
  stages: stagesAt(4, { done: 3, total: 40 }),
};
const REASONS = ["error", "signal", "oom_killed", "timeout", "exited_early", "lost", "not_started", "cancelled", null] as const;
const OVER: Partial<Job> = { end_time: TIME, elapsed_time: 12, progress: 58, start_time: TIME };
const JOBS: Partial<Job>[] = [
  {},
  { stages: stagesAt(4), elapsed_time: 60 },
  { progress: null, current_stage: null },
  { estimated_remaining: null, estimated_total_time: null },
  { elapsed_time: 20, estimated_total_time: 10 },
  { elapsed_time: 10.4, estimated_total_time: 10, candidates: [aCandidate({ label: "№6" })] },
  { stages: stagesAt(3), current_stage: "Model selection" },
  { unresponsive: true },
  { unreadable: true, error: "!" },
  { status: "queued", ahead: 2 },
  { status: "queued", ahead: 0 },
  { status: "queued", ahead: 1, waiting_for: "memory" },
  { status: "starting" },
  { status: "paused" },
  { status: "stopping" },
  { status: "stopping", unresponsive: true },
  { ...OVER, status: "completed", model_id: "№", metrics: { test_7: 0.9, cv_mean: 0.9, cv_std: 0.1, test_baseline: 0.5 } },
  { ...OVER, status: "completed", model_id: null, model_missing_reason: "!", final_score: 0.5 },
  { ...OVER, status: "cancelled" },
  { ...OVER, status: "cancelled", stopped_by: "№", model_id: "№" },
  { ...OVER, status: "cancelled", stopped_by: "orphan_ttl" },
  { ...OVER, status: "cancelled", start_time: null },
  { ...OVER, status: "cancelled", start_time: null, stopped_by: "orphan_ttl" },
  { ...OVER, status: "lost", reason: "lost" },
  { ...OVER, status: "failed", reason: "error", error: "!", hint: "!", traceback: "!", log_tail: ["!"], exit_code: 1 },
  ...REASONS.map((reason): Partial<Job> => ({ ...OVER, status: "failed", reason, signal: 9 })),
  {
    stages: stagesAt(4).map((stage, i) => ({ ...stage, state: (["failed", "cancelled", "skipped", "pending"] as const)[i % 4] ?? "pending" })),
  },
];

/** A link for each word of the indicator. `NOW` is nought on a card's clock. */
const LINKS: Partial<Link>[] = [
  {},
  { rtt: 0.64, rtts: [{ at: 0, seconds: 0.64 }] },
  { behind: true, replayed: 3, missed: 1, eventAt: -5_000, detail: "!" },
  { transport: "polling" },
  { phase: "waiting", transport: null, downSince: -5_000, retryAt: 4_000, attempt: 3 },
  { phase: "waiting", transport: null, downSince: -99_000, heardAt: null },
  { phase: "waiting", transport: null, downSince: -99_000, offlineSince: -99_000, heardAt: -100_000 },
  { phase: "forbidden" },
  { phase: "connecting" },
];
const LATER: Happening[] = [
  { kind: "events", at: 0, events: [metricPoints(9, ...points("train_7", [1, null, 3]), ...points("val_7", [null, null]), ...points("8", [1]))].map((event) => ({ ...event, job_id: SILENT.job_id as string })) },
  { kind: "tick", at: 3_000 },
];

/** A card that was looked at, with everything opened that opens. */
function card(job: Partial<Job> | null, source: Source, link: Partial<Link>): string[] {
  const shown = new Shown(job && { ...SILENT, ...job }, source, link);
  shown.card = { ...shown.card, jobId: SILENT.job_id as string, asOf: source === "saved" ? TIME : null };
  const told = [...words(shown.root), sentence({ ...shown.card, job: null }, shown.card) ?? ""];
  shown.happen(...LATER);
  for (const button of shown.root.querySelectorAll("button")) button.click();
  shown.find("menu").querySelectorAll("button").forEach((button) => button.click());
  told.push(...words(shown.root));
  told.push(...words(shown.happen({ kind: "tick", at: 60_000 }).root));
  shown.leaving.abort();
  return told;
}

test.each(["server", "kernel", "saved"] as const)("no card, fed by its %s, says a word that is not to be translated", (source) => {
  Object.assign(HTMLElement.prototype, { showPopover() {}, hidePopover() {} });
  const linked = source === "server" ? [null, {}, { status: "queued" } as const] : [];
  const told = [
    // What differs by the source are a few words about where the record comes from.
    ...(source === "server" ? JOBS : JOBS.slice(0, 3)).flatMap((job) => card(job, source, {})),
    ...linked.flatMap((job) => LINKS.flatMap((link) => card(job, source, link))),
  ];
  expect(new Set(bypassed(told.join("\n")))).toEqual(new Set());
  // Not for want of words.
  expect(told.filter((text) => text.includes("ж")).length).toBeGreaterThan(20);
}, 60_000);

test("no chart draws a word that is not to be translated", async () => {
  const drawn = written();
  const shown = new Shown({ ...SILENT, ...JOBS[0] });
  shown.card = { ...shown.card, jobId: SILENT.job_id as string };
  shown.happen(...LATER);
  // A card learns how wide it is after it was drawn, and uPlot draws when it is idle.
  const settled = () => new Promise((idle) => setTimeout(idle));
  await settled();
  for (const button of shown.find("chart-tools").querySelectorAll("button")) button.click();
  await settled();
  shown.leaving.abort();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  expect(new Set(bypassed(drawn.join("\n")))).toEqual(new Set());
  // Values and steps, and then times with their unit.
  expect(new Set(drawn.map((text) => text.replace(/[\d.:]/g, "")))).toEqual(new Set(["", "\u202fs"]));
});

function board(...jobs: Partial<Job>[]): Board {
  const records = jobs.map((job, i) => aJob({ ...SILENT, ...job, job_id: `j-${i}` }));
  const connected = reduceBoard(freshBoard(NOW), { at: NOW, kind: "link", link: { ...LIVE, heardAt: NOW, skew: 0 } });
  return reduceBoard(connected, { at: NOW, kind: "snapshot", jobs: records });
}

test("no panel says a word that is not to be translated", () => {
  const sample = (level: "healthy" | "warning" | "critical", whose: "host" | "container") =>
    ({
      ...{ type: "system_metrics", time: TIME, cpu_percent: 38, cpus: 2, cpu_scope: whose, memory_percent: 7, memory_used: 4, memory_limit: null },
      ...{ memory_scope: whose, host: { cpu_percent: 5, cpus: 4, memory_percent: 1, memory_used: 1, memory_limit: 2 }, health: level },
      ...{ levels: { cpu: level, memory: level, disk: level }, disk_percent: 61, disk_used: 2 ** 30, disk_limit: 2 ** 40, load_average: [1, 1, 1] },
      ...{ network: { received: 1, sent: 2 }, gpu: [{ name: "№", percent: 1, memory_used: 1, memory_limit: 2 }], kernels: [] },
      ...{ jobs: JOBS.map((_, i) => ({ id: `j-${i}`, cpu_percent: 98, memory: 2 ** 30, peak: 2 ** 31, processes: 5 })) },
      ...{ active_connections: 2, process_count: 100, uptime: 3600, api_response_ms: 2.5, ws_response_ms: 38 },
    }) as unknown as SystemMetrics;
  const row = (kind: "job" | "machine", status: "info" | "error") =>
    ({ seq: 1, activity: { id: `${kind}${status}`, kind, subject: "№", title: "№", description: "!", status, timestamp: TIME } }) as ActivityUpdate;
  const rowsOf: ActivityUpdate[] = [row("job", "info"), row("machine", "error")];
  const gone = { ...LIVE, phase: "waiting", transport: null, downSince: NOW - 99_000 } as const;
  const boards = [freshBoard(NOW), board(), board(...JOBS)].flatMap((one) => [
    one,
    ...(["healthy", "warning", "critical"] as const).map((level) =>
      reduceBoard(one, { at: NOW, kind: "latest", events: [sample(level, level === "healthy" ? "host" : "container")] }),
    ),
    reduceBoard(
      reduceBoard(one, { at: NOW, kind: "machine", thresholds: { cpu: { warning: 75, critical: 90 } }, past: [] }),
      { at: NOW, kind: "latest", events: [sample("healthy", "host")] },
    ),
    reduceBoard(one, { at: NOW, kind: "feed", rows: rowsOf }),
    [1, 2].reduce((next, n) => reduceBoard(next, { at: NOW + 9_000 * n, kind: "link", link: gone }), one),
  ]);
  const lists = { datasets: [aDataset({ id: "1", name: "№", versions: [aVersion(SILENT_VERSION)] })], models: models(), endpoints: [] };
  const phases = (["waiting", "sending", "cut", "reading", "done", "same", "failed", "elsewhere"] as const).map((phase, i) => ({
    ...{ kind: "upload", at: NOW + i, key: phase },
    change: { ...fresh(phase, "№", 9), phase, error: "!", line: 3, dataset: { id: "1", version: 1 } },
  })) as BoardHappening[];
  boards.push([{ at: NOW, kind: "listed", lists } as BoardHappening, ...phases].reduce(reduceBoard, boards[0] as Board));
  const upload = { send: () => {}, drop: () => {} };
  const acts = { act: () => {}, order: () => {}, open: () => {}, folded: () => [], fold: () => {}, upload };
  const told = boards.flatMap((one) => {
    const el = document.createElement("div");
    document.body.replaceChildren(el);
    mount(el, freshBoard(NOW), new AbortController().signal, acts)(one);
    const root = el.shadowRoot as ShadowRoot;
    for (const button of root.querySelectorAll("button")) button.click();
    const filter = root.querySelector("input") as HTMLInputElement;
    const before = words(root);
    filter.value = "?";
    filter.dispatchEvent(new Event("input"));
    return [...before, ...words(root), summary(one).text];
  });
  expect(new Set(bypassed(told.join("\n")))).toEqual(new Set());
});

const SILENT_VERSION = { filename: "№", created_by: "№", sha256: "0".repeat(64) };

/** Every status, and records whose own texts have no letters. */
function models(): Model[] {
  const silent = {
    ...{ name: "№", aliases: ["№"], estimator: "№", metric: "7", metrics: { 7: 1 }, parameters: { 1: 2 }, environment: { 1: "2" }, target: "№" },
    signature: { inputs: [{ name: "№1", kind: "number", dtype: "№", missing: false }, { name: "№2", kind: "boolean", dtype: "№", missing: false }] },
    provenance: { job_id: "№", submitted_by: "№", dataset: { name: "№", id: "d-1", hash: "000", rows: 1, columns: 1, version: 1 } },
    split: { rule: "№", test_size: 0.2, test: null, cv: 5, refit: false, seed: 0 },
  };
  const statuses = ["registered", "deploying", "deployed", "failed", "retired"] as const;
  return statuses.map((status, i) => aModel({ ...silent, status, model_id: `m-${i}`, version: i + 1, score: i ? 1 : null }));
}

test("no dataset and no model says a word that is not to be translated", () => {
  const told: string[] = [];
  const look = (show: (el: HTMLElement) => void) => {
    const el = document.createElement("div");
    document.body.replaceChildren(el);
    show(el);
    const root = el.shadowRoot as ShadowRoot;
    for (const button of root.querySelectorAll("button")) button.click();
    told.push(...words(root));
  };
  const kinds = ["number", "integer", "boolean", "category", "text", "date", "duration"];
  const columns = kinds.map((kind, i) => ({
    ...{ name: `№${i}`, kind, dtype: "№", missing: i, distinct: i || null, warnings: [] },
    ...(i ? { top: [{ value: "№", count: 3 }] } : { histogram: { edges: [0, 1], counts: [3] } }),
  }));
  const preview = aPreview({ columns, rows: [[1, null, "№", ""]], problems: [{ message: "!" }], suggested_target: { name: "№1", reason: "!" } });
  const never = new AbortController().signal;
  const dataset = { id: "1", dataset: aDataset({ id: "1", name: "№", versions: [aVersion(SILENT_VERSION)] }) };
  const lineage = { jobs: [{ job_id: "1", name: "№", status: "!", used_as: "test" as const }], models: [{ model_id: "1", name: "№", version: 1, used_as: "test" as const }] };
  for (const sight of [aDatasetSight({ ...dataset, preview, lineage }), aDatasetSight({ ...dataset, preview: null, lineage: { jobs: [], models: [] } }), aDatasetSight({ id: "1", dataset: null, preview: null, lineage: null })]) {
    look((el) => mountDataset(el, sight, never, { open: () => {}, version: () => {} }));
  }
  const acts = { open: () => {}, deploy: () => {}, undeploy: () => {}, rollback: () => {}, predict: () => {}, promote: async () => {}, demote: async () => {}, retire: async () => {}, remove: async () => {}, save: async () => {} };
  const drift = Object.fromEntries(["none", "none", "warning", "drift"].map((level, i) => [`№${i}`, { psi: i ? 1 : null, ks: 1, level, rows: 1 }]));
  const answer = { model_id: "1", name: "№", version: 1, predictions: [1], probabilities: [[1]], classes: ["№"], ms: 1 };
  const endpoint = anEndpoint({ name: "№", model_id: "m-2", history: ["m-0"], error: "!" });
  const all = models();
  const said = { time: TIME, seq: 1, priority: "low", model_id: "m-2", by: "№" } as const;
  const history: ModelSight["history"] = [
    { ...said, type: "model_status", name: "№", version: 1, previous: null, status: "failed", why: "!" },
    { ...said, type: "model_aliased", name: "№", version: 1, alias: "№", previous: "m-0" },
    { ...said, type: "model_deployed", model_name: "№", version: 1, model_accuracy: 1, endpoint: "/", endpoint_id: "e" },
  ];
  for (const { model_id: id } of [...all, { model_id: "m-9" }]) {
    for (const more of [{}, { endpoint, monitoring: aMonitoring({ drift, unwatched: ["№"] }), answer, faults: [{ column: null, message: "!" }], example: { "№1": 1 }, history, busy: "deploy" as const }]) {
      look((el) => mountModel(el, aModelSight({ id, models: all, baseUrl: "1/", ...more }), never, acts));
    }
  }
  expect(new Set(bypassed(told.join("\n").replaceAll(/1\/mlops\S*/g, "")))).toEqual(new Set());
  expect(told.filter((text) => text.includes("ж")).length).toBeGreaterThan(100);
});

test("no view of a pipeline says a word that is not to be translated", async () => {
  const told: string[] = [];
  const never = new AbortController().signal;
  const recipe = { data: { path: "/1" }, target: "№", model: "№", split: "№", cv: 5, params: {} };
  const one = aPipeline({ name: "№", by: "№", recipe });
  const done = async () => one;
  const door: Pipelines = {
    ...{ run: async () => "1", save: done, duplicate: done, remove: async () => {}, restore: async () => {}, script: () => "1", keep: done },
    datasets: async () => [aDataset({ name: "№" })],
    versions: async () => [1, 2, 3].map((version) => ({ version, by: "№", time: TIME })),
    compare: async () => [],
  };
  Object.assign(HTMLElement.prototype, { showPopover() {}, hidePopover() {} });
  const acts = { door, ran: () => {}, changed: () => {}, names: () => [] };
  for (const pipeline of [one, { ...one, recipe: { ...recipe, metric: "№", grid: {}, cv: 0, params: { 1: 1 } } }, { ...one, newest: 1 }, null]) {
    const el = document.createElement("div");
    document.body.replaceChildren(el);
    mountPipeline(el, { id: "1", pipeline, trouble: null, now: NOW }, never, acts);
    const root = el.shadowRoot as ShadowRoot;
    const press = (testid: string) => root.querySelector<HTMLElement>(`[data-testid="mlops-${testid}"]`)?.click();
    // Whatever can be pressed is; what comes of it is said a moment later.
    for (const what of ["pipeline-run", "pipeline-more", "menu-pipeline-rename", "menu-pipeline-duplicate", "named", "menu-pipeline-compare", "pipeline-delete", "pipeline-delete"]) {
      press(what);
      told.push(...words(root));
      await new Promise((then) => setTimeout(then));
      told.push(...words(root));
    }
  }
  const list = document.createElement("div");
  const update = mountPipelines(list, never, { door, changed: () => {}, open: () => {} });
  for (const [all, filter] of [[null, ""], [[], ""], [[one], ""], [[one], "№№"]] as const) {
    update(all, filter);
    told.push(...words(list));
  }
  expect(new Set(bypassed(told.join("\n")))).toEqual(new Set());
  expect(told.filter((text) => text.includes("ж")).length).toBeGreaterThan(100);
});

test("no notice and no summary, of jobs or of a curve, says a word that is not to be translated", () => {
  const ended = JOBS.flatMap((job) => ofJobs(board({}), board(job), new Set()));
  const health = (["high", "medium"] as const).flatMap((priority) =>
    ofHealth([{ type: "health_change", current_health: "critical", priority, cause: "!" } as HealthChange]),
  );
  const summaries = [board(), ...JOBS.map((job) => board(job)), board({}, {}, { status: "queued" })].map((one) => summary(one).text);
  const curves = [[1, null, 3], [2, null], [null, 1, null, 1], [null]].flatMap((values) =>
    charts(null, append(NO_SERIES, points("val_loss", values))).flatMap((one) => [described(one, "№"), notFinite(one, "№") ?? ""]),
  );
  const serving = [
    { type: "model_deployed", model_name: "№", model_id: "m-0", model_accuracy: 0.5 },
    { type: "model_deployed", model_name: "№", model_id: "m-0", model_accuracy: null },
    { type: "model_status", status: "failed", previous: "deploying", model_id: "m-0", why: "!" },
    { type: "model_status", status: "failed", previous: "deployed", model_id: "m-0", why: "!" },
    { type: "prediction_volume", milestone: 1000, model_id: "m-0" },
  ] as unknown as Event[];
  const named = reduceBoard(board(), { at: NOW, kind: "listed", lists: { models: [aModel({ model_id: "m-0", name: "№", version: 1 })] } });
  const models = ofModels(serving, named);
  expect(models.map((notice) => notice.toast)).toEqual([true, true, true, true, true]);
  const drifts = (["warning", "drift"] as const).flatMap((level) => ofDrift([{ type: "drift_raised", name: "№", version: 1, column: "№", psi: 1, level } as DriftRaised]));
  const told = [...ended, ...health, ...models, ...drifts].map((notice) => notice.text);
  expect(told.length).toBeGreaterThan(8);
  expect(new Set(bypassed([...told, ...summaries, ...curves].join("\n")))).toEqual(new Set());
});
