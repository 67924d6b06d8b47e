/**
 * Everything a page knows of its server, as a pure state: the jobs, the machine, the connection. Panel, status bar
 * and notifications show it. Not here: one job as a whole (card.ts).
 */

import type { Event, Job, SystemMetrics } from "../protocol";
import { type Connection, type Link, NO_CONNECTION, settle } from "./connection";
import { isOver, told } from "./job";

export interface Board {
  /** By id. All that live, and the newest that ended. */
  jobs: ReadonlyMap<string, Job>;
  /** Whether the server has said which jobs there are: before, none here means nothing. */
  known: boolean;
  /** Samples of the machine of the last minutes, oldest first. */
  samples: readonly SystemMetrics[];
  connection: Connection;
  /** Local milliseconds. */
  now: number;
}

export type BoardHappening = { at: number } & (
  | { kind: "link"; link: Link }
  | { kind: "snapshot"; jobs: readonly Job[] }
  | { kind: "events"; events: readonly Event[] }
  /** Of each kind the newest there is. */
  | { kind: "latest"; events: readonly Event[] }
  /** The store was replaced. */
  | { kind: "reset" }
  | { kind: "tick" }
);

/** More than a person looks through; the command line and `mlops.jobs()` have them all. */
export const MOST_JOBS = 200;
const KEPT_MS = 300_000;

export function freshBoard(now: number): Board {
  return { jobs: new Map(), known: false, samples: [], connection: NO_CONNECTION, now };
}

export function reduceBoard(before: Board, happening: BoardHappening): Board {
  const { at } = happening;
  const board = { ...before, now: at, connection: settle(before.connection, before.connection.link, at) };
  switch (happening.kind) {
    case "tick":
      return board;
    case "link":
      return { ...board, connection: settle(before.connection, happening.link, at) };
    case "reset":
      return { ...board, jobs: new Map(), known: false };
    case "snapshot":
      // It has the newest first; here the oldest come first, as they came.
      return { ...board, known: true, jobs: new Map(happening.jobs.map((job) => [job.job_id, job] as const).reverse()) };
    case "events":
      return { ...board, jobs: heard(board.jobs, happening.events) };
    case "latest": {
      const fresh = happening.events.filter((event) => event.type === "system_metrics");
      const kept = board.samples.filter((sample) => newest(fresh) - Date.parse(sample.time) < KEPT_MS);
      return fresh.length > 0 ? { ...board, samples: [...kept, ...fresh] } : board;
    }
  }
}

function newest(samples: readonly SystemMetrics[]): number {
  return Math.max(...samples.map((sample) => Date.parse(sample.time)));
}

function heard(jobs: ReadonlyMap<string, Job>, events: readonly Event[]): ReadonlyMap<string, Job> {
  const next = new Map(jobs);
  let changed = false;
  for (const event of events) {
    if (!("job_id" in event)) continue;
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
