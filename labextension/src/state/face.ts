/** Which of its faces a card shows, and the words of state on it. */

import type { Job } from "../protocol";
import { trans } from "../words";
import type { Card } from "./card";
import { percent } from "./figures";
import { isOver } from "./job";

export type Face =
  /** Nothing is known of the job but its id. */
  | "unknown"
  | "queued"
  /** Starting, running, stopping; also while the connection is being restored, and for a saved record of a job that ran. */
  | "running"
  | "finished"
  | "failed"
  | "cancelled"
  /** The server has been away for long: what was known last. */
  | "gone";

/** Shapes that tell states apart without colour. */
export type Mark =
  | "queued"
  | "starting"
  | "running"
  | "paused"
  | "stopping"
  | "done"
  | "failed"
  | "cancelled"
  | "lost"
  | "known"
  | "pending"
  | "skipped";

/** A job that starts within this time is not shown as queued first, and its stages do not flicker by. */
export const BLINK_MS = 1_000;

export function face(card: Card): Face {
  const job = card.job;
  if (!job) return "unknown";
  if (job.status === "completed") return "finished";
  if (job.status === "failed" || job.status === "lost") return "failed";
  if (job.status === "cancelled") return "cancelled";
  const { shown } = card.connection;
  if (card.source === "server" && (shown === "offline" || shown === "forbidden")) return "gone";
  if (job.status === "queued" && ((job.ahead ?? 0) > 0 || card.now - card.since > BLINK_MS)) return "queued";
  return "running";
}

export function headline(card: Card): { mark: Mark; word: string } {
  const job = card.job;
  const shown = face(card);
  if (card.deleted !== null) return { mark: "known", word: trans.__("Deleted") };
  const onlySaved = card.source === "saved" && card.asked === null;
  if (!job || shown === "gone" || (onlySaved && !isOver(job))) {
    return { mark: "known", word: job ? trans.__("Last known state") : trans.__("Job") };
  }
  if (job.unreadable) return { mark: "known", word: trans.__("Unreadable record") };
  switch (job.status) {
    case "queued":
      if (shown === "running") return { mark: "starting", word: trans.__("Starting") };
      return { mark: "queued", word: job.ahead ? trans.__("Queued, %1 ahead", String(job.ahead)) : trans.__("Queued, next") };
    case "starting":
      return { mark: "starting", word: trans.__("Starting") };
    case "running":
      return { mark: "running", word: job.unresponsive ? trans.__("Running, unresponsive") : trans.__("Running") };
    case "paused":
      return { mark: "paused", word: trans.__("Paused") };
    case "stopping":
      return { mark: "stopping", word: job.unresponsive ? trans.__("Stopping, unresponsive") : trans.__("Stopping") };
    case "completed":
      return { mark: "done", word: trans.__("Finished") };
    case "failed":
      return { mark: "failed", word: trans.__("Failed") };
    case "lost":
      return { mark: "lost", word: trans.__("Lost") };
    case "cancelled":
      return { mark: "cancelled", word: cancelled(card) };
  }
}

function cancelled(card: Card): string {
  const job = card.job;
  const at = job?.progress == null || job.start_time === null ? null : percent(job.progress);
  const by = job?.stopped_by;
  if (!by) return at === null ? trans.__("Cancelled") : trans.__("Cancelled at %1", at);
  if (by === "orphan_ttl") {
    return at === null
      ? trans.__("Cancelled: no server for too long")
      : trans.__("Cancelled at %1: no server for too long", at);
  }
  return at === null ? trans.__("Cancelled by %1", by) : trans.__("Cancelled by %1 at %2", by, at);
}

/** Said of a job that ended without a result and has no sentence of its own; empty where nobody knows. */
export function causeOf(reason: Job["reason"]): string {
  switch (reason) {
    case "error":
      return trans.__("The job raised an error.");
    case "signal":
      return trans.__("The worker was killed from outside.");
    case "oom_killed":
      return trans.__("Out of memory: the kernel killed the worker.");
    case "timeout":
      return trans.__("The job took longer than its timeout.");
    case "exited_early":
      return trans.__("The worker ended itself before the work was done.");
    case "lost":
      return trans.__("The job's processes are gone and left no word.");
    case "not_started":
      return trans.__("The worker could not be started.");
    case "cancelled":
      return trans.__("The job was cancelled.");
    default:
      return "";
  }
}

/** As much of a card, or of a row, as tells what may be asked. */
export type Ordered = Pick<Card, "job" | "source" | "connection" | "now" | "movedAt">;

/** What the user may do with the job from here. */
export function canStop(card: Ordered): boolean {
  const status = card.job?.status;
  // A server whose disk is full tells no events, and stops jobs all the same.
  const waiting = card.source === "server" && card.connection.link.phase === "waiting";
  return (reachable(card) || waiting) && !card.job?.unreadable && (status === "queued" || status === "starting" || status === "running" || status === "paused");
}

export function canRerun(card: Card): boolean {
  return card.source === "server" && !card.job?.unreadable && (face(card) === "failed" || face(card) === "cancelled");
}

export function canDelete(card: Card): boolean {
  return card.source === "server" && card.job !== null && isOver(card.job);
}

/** Whether it has left a model that this page can show. */
export function hasModel(card: Card): boolean {
  return card.source === "server" && face(card) === "finished" && card.job?.model_id != null;
}

/** Whether what it was asked for can be kept as a pipeline: it has come to its end. */
export function canKeep(card: Pick<Card, "source" | "job">): boolean {
  return card.source === "server" && card.job?.status === "completed" && !card.job.unreadable;
}

export function canPause(card: Ordered): boolean {
  return reachable(card) && card.job?.status === "running" && !card.job.unreadable;
}

export function canResume(card: Ordered): boolean {
  return reachable(card) && card.job?.status === "paused" && !card.job.unreadable;
}

function reachable(card: Ordered): boolean {
  return card.source === "server" && card.connection.link.phase === "connected";
}
