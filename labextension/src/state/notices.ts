/** What is worth telling somebody who looks elsewhere, and how loudly. Not here: who shows it (lab/notify.ts). */

import type { Event, Job } from "../protocol";
import { trans } from "../words";
import type { Board } from "./board";
import { causeOf } from "./face";
import { count, figure, span } from "./figures";
import { isOver } from "./job";
import { nameOf, nounOf } from "./nouns";
import { preferences } from "./preferences";

export interface Notice {
  kind: "success" | "error" | "warning";
  text: string;
  /** The id of the job or model it is about; null for the machine. */
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

/** Of what deployed models are asked: only in the list, as alerts are. */
export function ofDrift(events: readonly Event[]): Notice[] {
  return events.flatMap((event) => {
    if (event.type !== "drift_raised") return [];
    const [model, column, psi] = [`${short(event.name, 20)} v${event.version}`, short(event.column, 20), figure(event.psi)];
    const text =
      event.level === "drift"
        ? trans.__('%1: "%2" is unlike its training rows, PSI %3', model, column, psi)
        : trans.__('%1: "%2" begins to differ, PSI %3', model, column, psi);
    return [{ kind: "warning", text: cut(text), jobId: event.model_id, toast: false } as const];
  });
}

/** One for all those of a minute that may not interrupt any more: how many, and of what. */
export function grouped(rest: readonly Notice[]): Notice {
  const noun = (one: Notice) => (one.jobId === null ? null : nounOf(one.jobId));
  const ofJob = (kind: Notice["kind"]) => rest.filter((one) => noun(one) !== "model" && one.jobId !== null && one.kind === kind).length;
  const [models, others] = [rest.filter((one) => noun(one) === "model").length, rest.filter((one) => one.jobId === null).length];
  const [done, failed] = [ofJob("success"), ofJob("error")];
  const parts = [
    done > 0 ? trans._n("%1 finished", "%1 finished", done) : "",
    failed > 0 ? trans._n("%1 failed or lost", "%1 failed or lost", failed) : "",
    models > 0 ? trans._n("%1 of models", "%1 of models", models) : "",
    others > 0 ? trans._n("%1 of the machine or the server", "%1 of the machine or the server", others) : "",
  ];
  const text = trans._n("%1 more in this minute: %2", "%1 more in this minute: %2", rest.length, parts.filter(Boolean).join(", "));
  return { kind: rest.every(({ kind }) => kind === "success") ? "success" : "error", text: cut(text), jobId: null, toast: false };
}

/** Of models that are live, could not be deployed, were given up, or have predicted a round number. */
export function ofModels(events: readonly Event[], board: Board): Notice[] {
  if (!preferences.notify.deploy) return [];
  return events.flatMap((event): Notice[] => {
    if (event.type === "model_deployed") {
      const { model_name: called, model_accuracy: accuracy, model_id: jobId } = event;
      const text =
        accuracy === null
          ? trans.__("%1 is now live", called)
          : trans.__("%1 is now live with %2 accuracy", called, `${(100 * accuracy).toFixed(1)}%`);
      return [{ kind: "success", text: cut(text), jobId, toast: true }];
    }
    if (event.type === "model_status" && event.status === "failed") {
      const named = nameOf(board, event.model_id);
      const what = event.previous === "deployed" ? trans.__("%1 answers no more", named) : trans.__("%1 could not be deployed", named);
      return [{ kind: "error", text: cut(event.why ? `${what}: ${event.why}` : what), jobId: event.model_id, toast: true }];
    }
    if (event.type === "prediction_volume" && event.milestone !== null) {
      const text = trans.__("%1 has made %2 predictions", nameOf(board, event.model_id), count(event.milestone));
      return [{ kind: "success", text: cut(text), jobId: event.model_id, toast: true }];
    }
    return [];
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
  return short(job.name);
}

function short(text: string, most = 40): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

function cut(text: string): string {
  return short(text, MOST);
}
