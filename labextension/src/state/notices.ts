/** What is worth telling somebody who looks elsewhere, and how loudly. Not here: who shows it (lab/notify.ts). */

import type { Event, Job } from "../protocol";
import type { Board } from "./board";
import { figure, span } from "./figures";
import { isOver } from "./job";

export interface Notice {
  kind: "success" | "error" | "warning";
  text: string;
  /** The job it is about; null for the machine. */
  jobId: string | null;
  /** Whether it may interrupt: all else is only kept in the list. */
  toast: boolean;
}

const MOST = 90;
/** Who waits for less than this is still looking. */
export const SHORT_SECONDS = 10;

/** Of jobs that ended between the two; what was over before this page knew it is no news. */
export function ofJobs(before: Board, after: Board): Notice[] {
  return [...after.jobs.values()].flatMap((job) => {
    const known = before.jobs.get(job.job_id);
    if (!known || isOver(known) || !isOver(job)) return [];
    const notice = ofEnd(job);
    return notice ? [notice] : [];
  });
}

/** Of the machine: only what is critical interrupts. */
export function ofHealth(events: readonly Event[]): Notice[] {
  return events.flatMap((event) => {
    if (event.type !== "health_change" || event.current_health === "healthy") return [];
    const critical = event.priority === "high";
    const text = cut(`The machine is ${critical ? "critical" : "under load"}: ${event.cause}`);
    return [{ kind: critical ? "error" : "warning", text, jobId: null, toast: critical } as const];
  });
}

function ofEnd(job: Job): Notice | null {
  const jobId = job.job_id;
  const took = job.elapsed_time;
  switch (job.status) {
    case "completed": {
      const score = job.final_score === null ? "" : `: ${job.metric ?? "score"} ${figure(job.final_score)}`;
      const long = took !== null && took > SHORT_SECONDS;
      const time = took === null || score ? "" : ` in ${span(took)}`;
      return { kind: "success", text: cut(`${name(job)} finished${time}${score}`), jobId, toast: long };
    }
    case "failed":
    case "lost": {
      const why = job.error?.split("\n")[0] ?? job.reason;
      return { kind: "error", text: cut(`${name(job)} ${job.status}${why ? `: ${why}` : ""}`), jobId, toast: true };
    }
    default:
      // Whoever stopped it knows.
      return null;
  }
}

function name(job: Job): string {
  return job.name.length <= 40 ? job.name : `${job.name.slice(0, 39)}…`;
}

function cut(text: string): string {
  return text.length <= MOST ? text : `${text.slice(0, MOST - 1)}…`;
}
