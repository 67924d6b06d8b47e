/** What is worth telling somebody who looks elsewhere, and how loudly. Not here: who shows it (lab/notify.ts). */

import type { Event, Job } from "../protocol";
import { trans } from "../words";
import type { Board } from "./board";
import { causeOf } from "./face";
import { figure, span } from "./figures";
import { isOver } from "./job";
import { preferences } from "./preferences";

export interface Notice {
  kind: "success" | "error" | "warning";
  text: string;
  /** The job it is about; null for the machine. */
  jobId: string | null;
  /** Whether it may interrupt: all else is only kept in the list. */
  toast: boolean;
}

const MOST = 90;

/** Jobs whose end is told in these events. */
export function endedIn(events: readonly Event[]): string[] {
  return events.flatMap((event) => ("job" in event && event.job && isOver(event.job) ? [event.job.job_id] : []));
}

/**
 * Of jobs that ended between the two. What was over before this page knew it is no news, unless its end was told since
 * (`ended`): a quick one may begin and end while the page is cut off.
 */
export function ofJobs(before: Board, after: Board, ended: ReadonlySet<string>): Notice[] {
  return [...after.jobs.values()].flatMap((job) => {
    const known = before.jobs.get(job.job_id);
    const news = known ? !isOver(known) : ended.has(job.job_id);
    if (!news || !isOver(job)) return [];
    const notice = ofEnd(job);
    return notice ? [notice] : [];
  });
}

/** Of the machine: only what is critical interrupts. */
export function ofHealth(events: readonly Event[]): Notice[] {
  return events.flatMap((event) => {
    if (event.type !== "health_change" || event.current_health === "healthy" || !preferences.notify.health) return [];
    const critical = event.priority === "high";
    const text = critical
      ? trans.__("The machine is critical: %1", event.cause)
      : trans.__("The machine is under load: %1", event.cause);
    return [{ kind: critical ? "error" : "warning", text: cut(text), jobId: null, toast: critical } as const];
  });
}

/** Of alerts: only in the list, since the feed and the card say them, too. */
export function ofAlerts(events: readonly Event[]): Notice[] {
  return events.flatMap((event) => {
    if (event.type !== "alert_raised") return [];
    return [{ kind: "warning", text: cut(`${name(event.job)}: ${event.message}`), jobId: event.job_id, toast: false } as const];
  });
}

function ofEnd(job: Job): Notice | null {
  const jobId = job.job_id;
  const took = job.elapsed_time;
  switch (job.status) {
    case "completed": {
      if (!preferences.notify.finished) return null;
      const long = took !== null && took > preferences.notify.minSeconds;
      return { kind: "success", text: cut(finished(job)), jobId, toast: long };
    }
    case "failed":
    case "lost": {
      if (!preferences.notify.failed) return null;
      const what = job.status === "failed" ? trans.__("%1 failed", name(job)) : trans.__("%1 lost", name(job));
      const why = job.error?.split("\n")[0] ?? causeOf(job.reason);
      return { kind: "error", text: cut(why ? `${what}: ${why}` : what), jobId, toast: true };
    }
    default:
      // Whoever stopped it knows.
      return null;
  }
}

/** With one number. */
function finished(job: Job): string {
  if (job.final_score !== null) {
    const metric = job.metric ?? trans.__("score");
    return trans.__("%1 finished: %2 %3", name(job), metric, figure(job.final_score));
  }
  if (job.elapsed_time !== null) return trans.__("%1 finished in %2", name(job), span(job.elapsed_time));
  return trans.__("%1 finished", name(job));
}

function name(job: Job): string {
  return job.name.length <= 40 ? job.name : `${job.name.slice(0, 39)}…`;
}

function cut(text: string): string {
  return text.length <= MOST ? text : `${text.slice(0, MOST - 1)}…`;
}
