/**
 * Everything a page knows of its server, as a pure state: the jobs, the machine, the connection. Panel, status bar
 * and notifications show it. Not here: one job as a whole (card.ts).
 */

import type { ActivityUpdate, Event, Job, SystemMetrics } from "../protocol";
import { type Assets, heard as heardAssets, listed, type Lists, NO_ASSETS } from "./assets";
import { type Connection, type Link, NO_CONNECTION, settle } from "./connection";
import { isOver, told } from "./job";
import { changed, type Upload } from "./uploads";

export type Figures = Pick<SystemMetrics, "time" | "cpu_percent" | "memory_percent" | "disk_percent">;

export interface Board {
  /** By id. All that live, and the newest that ended. */
  jobs: ReadonlyMap<string, Job>;
  /** Whether the server has said which jobs there are: before, none here means nothing. */
  known: boolean;
  /** What happened, the newest first. */
  feed: readonly ActivityUpdate[];
  /** Samples of the machine of the last minutes, oldest first. */
  samples: readonly SystemMetrics[];
  /** Figures of the minutes before this page was there, oldest first. */
  past: readonly Figures[];
  /** Percent from which a figure of the machine is a warning, and critical. */
  thresholds: Record<string, { warning: number; critical: number }>;
  /** What is kept beside jobs. */
  assets: Assets;
  /** What became of something the user wanted. */
  notice: string | null;
  connection: Connection;
  /** Local milliseconds. */
  now: number;
}

export type BoardHappening = { at: number } & (
  | { kind: "link"; link: Link }
  /** All there are that matter, the newest first. */
  | { kind: "snapshot"; jobs: readonly Job[] }
  /** The same from an answer that was on its way: what events have told meanwhile is newer. */
  | { kind: "answered"; jobs: readonly Job[] }
  | { kind: "events"; events: readonly Event[] }
  /** Rows of the feed from before this page was there. */
  | { kind: "feed"; rows: readonly ActivityUpdate[] }
  /** Of each kind the newest there is. */
  | { kind: "latest"; events: readonly Event[] }
  /** What the server knows of its machine beside the samples that come. */
  | { kind: "machine"; thresholds: Board["thresholds"]; past: readonly Figures[] }
  /** Datasets, models and endpoints as they are now. */
  | { kind: "listed"; lists: Lists }
  /** Something became of an upload of this page; null takes it away. */
  | { kind: "upload"; key: string; change: Partial<Upload> | null }
  | { kind: "noticed"; text: string | null }
  /** The store was replaced. */
  | { kind: "reset" }
  | { kind: "tick" }
);

/** More than a person looks through; the command line and `mlops.jobs()` have them all. */
export const MOST_JOBS = 200;
export const MOST_ROWS = 200;
const KEPT_MS = 300_000;

export function freshBoard(now: number): Board {
  return { jobs: new Map(), known: false, feed: [], samples: [], past: [], thresholds: {}, assets: NO_ASSETS, notice: null, connection: NO_CONNECTION, now };
}

export function reduceBoard(before: Board, happening: BoardHappening): Board {
  const { at } = happening;
  const board = { ...before, now: at, connection: settle(before.connection, before.connection.link, at) };
  switch (happening.kind) {
    case "tick":
      return board;
    case "link":
      return { ...board, connection: settle(before.connection, happening.link, at) };
    case "machine":
      return { ...board, thresholds: happening.thresholds, past: happening.past };
    case "noticed":
      return { ...board, notice: happening.text };
    case "listed":
      return { ...board, assets: listed(board.assets, happening.lists) };
    case "upload":
      return { ...board, assets: { ...board.assets, uploads: changed(board.assets.uploads, happening.key, happening.change, at) } };
    case "reset":
      return { ...board, jobs: new Map(), known: false, feed: [], assets: { ...NO_ASSETS, uploads: board.assets.uploads } };
    case "snapshot":
      // It has the newest first; here the oldest come first, as they came.
      return { ...board, known: true, jobs: new Map(happening.jobs.map((job) => [job.job_id, job] as const).reverse()) };
    case "answered": {
      const answered = happening.jobs.map((job) => [job.job_id, job] as const).reverse();
      return { ...board, known: true, jobs: new Map([...answered, ...board.jobs]) };
    }
    case "events": {
      const rows = happening.events.filter((event) => event.type === "activity_update");
      const assets = heardAssets(board.assets, happening.events);
      return { ...board, jobs: heard(board.jobs, happening.events), feed: fed(board.feed, rows), assets };
    }
    case "feed":
      return { ...board, feed: fed(board.feed, happening.rows) };
    case "latest": {
      const fresh = happening.events.filter((event) => event.type === "system_metrics");
      const assets = heardAssets(board.assets, happening.events);
      const kept = board.samples.filter((sample) => newest(fresh) - Date.parse(sample.time) < KEPT_MS);
      return { ...board, assets, samples: fresh.length > 0 ? [...kept, ...fresh] : board.samples };
    }
  }
}

/** Whether a job is there that was not, of those one knew before. */
export function submitted(before: Board, after: Board): boolean {
  return before.known && [...after.jobs.values()].some((job) => !before.jobs.has(job.job_id) && !isOver(job));
}

/** Each row once, whichever way it came. */
function fed(feed: readonly ActivityUpdate[], rows: readonly ActivityUpdate[]): readonly ActivityUpdate[] {
  if (rows.length === 0) return feed;
  const all = new Map([...feed, ...rows].map((row) => [row.activity.id, row]));
  return [...all.values()].sort((one, other) => (other.seq ?? 0) - (one.seq ?? 0)).slice(0, MOST_ROWS);
}

function newest(samples: readonly SystemMetrics[]): number {
  return Math.max(...samples.map((sample) => Date.parse(sample.time)));
}

function heard(jobs: ReadonlyMap<string, Job>, events: readonly Event[]): ReadonlyMap<string, Job> {
  const next = new Map(jobs);
  let changed = false;
  for (const event of events) {
    if (!("job_id" in event)) continue;
    if (event.type === "job_deleted") {
      changed = next.delete(event.job_id) || changed;
      continue;
    }
    const before = next.get(event.job_id) ?? null;
    const job = told(before, event.job_id, event);
    if (!job || job === before) continue;
    next.set(event.job_id, job);
    changed = true;
  }
  if (!changed) return jobs;
  // The oldest that are over leave. Those that are not are never more than a queue and its places hold.
  for (const [id, job] of next) {
    if (next.size <= MOST_JOBS) break;
    if (isOver(job)) next.delete(id);
  }
  return next;
}
