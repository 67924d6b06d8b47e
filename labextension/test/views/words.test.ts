/**
 * No view says a word that is not to be translated. A language of one letter speaks; the records hold no letters of
 * their own. What is left of the Latin alphabet in the document has bypassed `trans`.
 */

import { afterAll, beforeAll, expect, test } from "vitest";
import type { ActivityUpdate, HealthChange, Job, SystemMetrics } from "../../src/protocol";
import { type Board, freshBoard, reduceBoard } from "../../src/state/board";
import type { Happening, Source } from "../../src/state/card";
import { charts, notFinite, summary as described } from "../../src/state/charts";
import type { Link } from "../../src/state/connection";
import { ofHealth, ofJobs } from "../../src/state/notices";
import { summary } from "../../src/state/rows";
import { append, NO_SERIES } from "../../src/state/series";
import { sentence } from "../../src/views/announcer";
import { mount } from "../../src/views/panel";
import { ENGLISH, speak } from "../../src/words";
import { aCandidate, aJob, metricPoints, points, stagesAt, TIME } from "../builders";
import { LIVE, Shown } from "./page";

/** Symbols of units and numbers, the product's name, metrics by their own names; days and times, which the browser says. */
const NOT_WORDS = /\b(ms|min|KiB|MiB|GiB|MB|GB|NaN|mlops|(train|val|test)_\w+|cv_\w+|Nov|AM|PM)\b/g;
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
      ...{ network: { received: 1, sent: 2 }, gpu: [{ name: "№", percent: 1, memory_used: 1, memory_limit: 2 }], jobs: [], kernels: [] },
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
  const acts = { act: () => {}, order: () => {}, open: () => {}, folded: () => [], fold: () => {} };
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

test("no notice and no summary, of jobs or of a curve, says a word that is not to be translated", () => {
  const ended = JOBS.flatMap((job) => ofJobs(board({}), board(job), new Set()));
  const health = (["high", "medium"] as const).flatMap((priority) =>
    ofHealth([{ type: "health_change", current_health: "critical", priority, cause: "!" } as HealthChange]),
  );
  const summaries = [board(), ...JOBS.map((job) => board(job)), board({}, {}, { status: "queued" })].map((one) => summary(one).text);
  const curves = [[1, null, 3], [2, null], [null, 1, null, 1], [null]].flatMap((values) =>
    charts(null, append(NO_SERIES, points("val_loss", values))).flatMap((one) => [described(one, "№"), notFinite(one, "№") ?? ""]),
  );
  const told = [...ended, ...health].map((notice) => notice.text);
  expect(told.length).toBeGreaterThan(8);
  expect(new Set(bypassed([...told, ...summaries, ...curves].join("\n")))).toEqual(new Set());
});
