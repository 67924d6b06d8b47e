/** A page with the card in every recorded state, for eyes and for pictures. Not a part of the product. */

import type { ActivityUpdate, Job, Point, SystemMetrics } from "../src/protocol";
import { type Board, type BoardHappening, freshBoard, reduceBoard } from "../src/state/board";
import { type Card, freshCard, reduce, type Source } from "../src/state/card";
import { type Link, NO_LINK } from "../src/state/connection";
import { measured } from "../src/state/series";
import { mount as mountBoard, type Part } from "../src/views/board";
import { mount as mountPanel } from "../src/views/panel";
import { mount } from "../src/views/train";
import { showAssets } from "./assets";

interface Recorded {
  record: Job;
  series?: Record<string, Point[]>;
  counts?: Record<string, number>;
  source?: Source;
  as_of?: string;
  /** Seconds since the record last moved. */
  quiet?: number;
  /** A part of the series that was asked for. */
  near?: { from: number; to: number; series: Record<string, Point[]>; counts?: Record<string, number> };
  link?: Partial<Link> & { retryIn?: number; downFor?: number };
}

const NOW = Date.parse("2026-11-21T14:02:11Z");
const LIVE: Partial<Link> = { phase: "connected", transport: "websocket", rtt: 0.038, server: "http://localhost:8888/" };

export function cardOf(state: Recorded): Card {
  const source = state.source ?? "server";
  const began = NOW - 60_000;
  let card: Card = { ...freshCard(state.record.job_id, source, began), asOf: state.as_of ?? null };
  const { retryIn, downFor, ...link } = state.link ?? {};
  const told: Link = {
    ...NO_LINK,
    ...LIVE,
    heardAt: NOW - 1000 * (downFor ?? 0),
    eventAt: NOW - 1000,
    pingAt: NOW - 4000,
    ...link,
    ...(retryIn !== undefined && { retryAt: NOW + retryIn * 1000 }),
    ...(downFor !== undefined && { downSince: NOW - downFor * 1000 }),
  };
  const whole = (series: Record<string, Point[]>, counts: Record<string, number> = {}) =>
    Object.fromEntries(
      Object.entries(series).map(([name, all]) => [name, { count: counts[name] ?? all.length, points: all.map((point) => ({ ...point, name })) }]),
    );
  const moved = NOW - 1000 * (state.quiet ?? state.link?.downFor ?? 0);
  card = reduce(card, { kind: "record", at: moved, job: state.record });
  card = { ...card, series: measured(whole(state.series ?? {}, state.counts)), movedAt: moved };
  if (state.near) card = reduce(card, { kind: "near", at: moved, ...state.near, series: whole(state.near.series, state.near.counts) });
  card = reduce(card, { kind: "link", at: NOW, link: told });
  if (state.source === undefined) card = { ...card, use: { id: card.jobId, cpu_percent: 398, memory: 4.2e8, peak: 1.3e9, processes: 5 } };
  // Shown at once: the pictures are of what holds, not of what is about to.
  return reduce(reduce(card, { kind: "tick", at: NOW - 5000 }), { kind: "tick", at: NOW });
}

/** A board of all recorded jobs, with a feed and a machine that is nearly full. */
function boardOf(states: Recorded[], others: Partial<SystemMetrics> = {}): Board {
  const jobs = states.map(({ record }, i) => ({ ...record, job_id: `${record.job_id}${i}` }));
  const uses = jobs.map(({ job_id: id }) => ({ id, cpu_percent: 398, memory: 4.2e8, peak: 1.3e9, processes: 5 }));
  const time = new Date(NOW).toISOString();
  const levels = { cpu: "healthy", memory: "warning", disk: "critical" } as const;
  const host = { cpu_percent: 12, cpus: 8, memory_percent: 40, memory_used: 2 ** 34, memory_limit: 2 ** 35 };
  const sample = {
    ...{ type: "system_metrics", time, seq: null, priority: "low", cpu_percent: 38, cpus: 2, cpu_scope: "container" },
    ...{ memory_percent: 81, memory_used: 4.1e8, memory_limit: 5.1e8, memory_scope: "container", host, health: "critical", levels },
    ...{ disk_percent: 96, disk_used: 9.6e10, disk_limit: 1e11, active_connections: 1, network: { received: 1200, sent: 3e6 } },
    ...{ process_count: 100, uptime: 1000, load_average: [1.2, 1, 1], api_response_ms: 2, ws_response_ms: 1, gpu: [], jobs: uses, kernels: [{ id: "k-1", memory: 3.1e8 }] },
  } as unknown as SystemMetrics;
  const rows = (["info", "success", "warning", "error"] as const).map((status, i) => ({
    ...{ type: "activity_update", time, seq: i + 1, priority: "low" },
    activity: {
      ...{ id: `a-${i}`, kind: i === 2 ? "machine" : "job", subject: i === 2 ? null : (jobs[i]?.job_id ?? null), status, timestamp: time },
      ...{ title: `Something ${status}`, description: `What happened, in a sentence of ${status}` },
    },
  })) as unknown as ActivityUpdate[];
  const samples = [38, 52, 66, 81].map((percent, i) => ({
    ...{ ...sample, cpu_percent: percent / 2, memory_percent: percent, disk_percent: 96, ...others },
    time: new Date(NOW - 5000 * (3 - i)).toISOString(),
  }));
  const thresholds = { cpu: { warning: 75, critical: 90 }, memory: { warning: 75, critical: 90 }, disk: { warning: 80, critical: 95 } };
  const link: Link = { ...NO_LINK, ...LIVE, heardAt: NOW, eventAt: NOW, pingAt: NOW, skew: 0 };
  const happenings: BoardHappening[] = [
    { kind: "link", at: NOW, link },
    { kind: "snapshot", at: NOW, jobs },
    { kind: "feed", at: NOW, rows },
    { kind: "machine", at: NOW, thresholds, past: [] },
    { kind: "latest", at: NOW, events: samples },
  ];
  return happenings.reduce(reduceBoard, freshBoard(NOW));
}

declare global {
  interface Window {
    /** The panel in place of the cards. */
    showPanel(states: Record<string, Recorded>, width: number): void;
    /** The machine as a strip, or the feed, in place of the cards. */
    showBoard(states: Record<string, Recorded>, width: number, part: Part, sample?: Partial<SystemMetrics>): void;
    /** The views of datasets, models, pipelines and uploads; `name` is what users call everything. */
    showAssets(width: number, name: string | null): void;
    showStates(states: Record<string, Recorded>, width: number): void;
    /** A card that is shown comes into another state. */
    changeState(name: string, state: Recorded): void;
  }
}

window.showPanel = (states, width) => {
  const place = document.getElementById("states") as HTMLElement;
  place.style.width = `${width}px`;
  const box = document.createElement("div");
  place.replaceChildren(box);
  const board = boardOf(Object.values(states));
  const acts = { act: () => {}, order: () => {}, open: () => {}, settings: () => {}, folded: () => [], fold: () => {} };
  mountPanel(box, board, new AbortController().signal, acts)(board);
};

window.showBoard = (states, width, part, sample) => {
  const place = document.getElementById("states") as HTMLElement;
  place.style.width = `${width}px`;
  const box = document.createElement("div");
  place.replaceChildren(box);
  const board = boardOf(Object.values(states), sample);
  mountBoard(box, board, new AbortController().signal, part, "k-1", { act: () => {}, open: () => {} })(board);
};

window.showAssets = showAssets;

const updates = new Map<string, (next: Card) => void>();
window.changeState = (name, state) => updates.get(name)?.(cardOf(state));

window.showStates = (states, width) => {
  const place = document.getElementById("states") as HTMLElement;
  place.replaceChildren();
  place.style.width = `${width}px`;
  for (const [name, state] of Object.entries(states)) {
    const label = document.createElement("p");
    label.textContent = name;
    const box = document.createElement("div");
    box.id = name.replaceAll(/\W+/g, "-");
    place.append(label, box);
    const update = mount(box, cardOf(state), new AbortController().signal, (action) => console.info(JSON.stringify(action)));
    updates.set(name, update);
  }
};
