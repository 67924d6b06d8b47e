/** How long a job has run, how long it still takes, and how old its numbers are. */

import type { Job } from "../protocol";
import { trans } from "../words";
import type { Card } from "./card";
import { answering, knownUntil } from "./connection";
import { clock } from "./figures";
import { currentStage, isOver } from "./job";

/** Seconds without news after which the card says how old its numbers are; slow fits get three of their own pauses. */
const STALE_SECONDS = 10;
/** A stage of unknown length says so only when it lasts: most take a blink. */
const LASTING_SECONDS = 1;

/** Seconds the job has run, as far as it is known now; null before it began. */
export function elapsed(card: Pick<Card, "job" | "source" | "connection" | "now" | "movedAt">): number | null {
  const job = card.job;
  if (!job || job.elapsed_time === null) return null;
  const until = knownUntil(card.connection, card.now);
  if (isOver(job) || job.status === "paused" || card.source !== "server" || until === null) return job.elapsed_time;
  const { skew } = card.connection.link;
  const sinceMove = job.elapsed_time + (until - (card.movedAt ?? until)) / 1000;
  // A job that has been quiet since before this page was opened: only its start tells, and its pauses that are over.
  const began = job.status === "running" ? job.start_time : null;
  const sinceStart = skew !== null && began ? (until + skew - Date.parse(began)) / 1000 - job.paused_time : 0;
  return Math.max(sinceMove, sinceStart, job.elapsed_time);
}

/** `about` 0:04; `over` its estimate by 0:12, or by less than a second; null without a basis. Never a zero. */
export type Left = { about: string } | { over: string | null } | null;

export function left(card: Card): Left {
  const job = card.job;
  const ran = elapsed(card);
  if (!job || ran === null) return null;
  const total = job.estimated_total_time;
  if (total !== null && ran > total) {
    const over = Math.floor(ran - total);
    return { over: over < 1 ? null : clock(over) };
  }
  if (job.estimated_remaining === null) return null;
  return { about: rounded(total === null ? job.estimated_remaining : total - ran) };
}

export function overdue(by: string | null): string {
  return by === null ? trans.__("longer than estimated") : trans.__("longer than estimated (+%1)", by);
}

/** To 1 s below a minute, 5 s below ten, then to the minute. */
export function rounded(seconds: number): string {
  if (seconds < 59.5) return clock(Math.max(Math.round(seconds), 1));
  if (seconds < 597.5) return clock(Math.round(seconds / 5) * 5);
  const minutes = Math.round(seconds / 60);
  const rest = minutes % 60;
  if (minutes < 60) return `${minutes}\u202fmin`;
  return rest ? `${Math.floor(minutes / 60)}\u202fh ${rest}\u202fmin` : `${minutes / 60}\u202fh`;
}

/** Seconds since the last news of a job that should have some; null while they are fresh. */
export function staleFor(card: Card): number | null {
  if (!card.job || isOver(card.job) || card.job.status === "queued" || card.job.status === "paused") return null;
  if (card.movedAt === null || !answering(card.connection)) return null;
  const sorted = [...card.pauses].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const quiet = card.now - card.movedAt;
  return quiet > Math.max(STALE_SECONDS * 1000, 3 * median) ? quiet / 1000 : null;
}

/** Whether the running stage cannot say how far it is: the bar is then indeterminate, without a percentage. */
export function isLengthUnknown(job: Job, ran: number | null): boolean {
  const current = currentStage(job);
  if (!current || current.stage.state !== "running" || current.stage.total !== null) return false;
  return (ran ?? 0) - (current.stage.started ?? 0) > LASTING_SECONDS;
}
