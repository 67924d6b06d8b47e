/**
 * Everything one card shows, as a pure state: `reduce(card, happening)`. Whether what happens comes from a socket,
 * from polling, from a kernel's traits or from a saved notebook makes no difference here.
 */

import type { Event, Job, Point, Use } from "../protocol";
import { type Connection, type Link, NO_CONNECTION, settle } from "./connection";
import { isOver, succeed, told } from "./job";
import { type Log, NO_LOG, written } from "./log";
import { useIn } from "./machine";
import { append, measured, NO_SERIES, type Part, type SeriesByName } from "./series";

/** Where a card's record comes from: the page's server, a kernel's traits, or a saved output. */
export type Source = "server" | "kernel" | "saved";

export interface Card {
  jobId: string;
  source: Source;
  job: Job | null;
  /** Sequence numbers as of which record and series are complete; events up to them are known. */
  jobHead: number;
  seriesHead: number;
  series: SeriesByName;
  /** A part of them that was looked at from near; null when none was. */
  near: Part | null;
  log: Log;
  /** What it takes, as of the newest sample of the machine; null where nobody has seen it. */
  use: Use | null;
  connection: Connection;
  /** When a saved record was saved, RFC 3339. */
  asOf: string | null;
  /** By whom the job was deleted, of which this is all that is left; null when it was not. */
  deleted: string | null;
  /** Events of the time between a question and its answer; null when there is no question. */
  asked: readonly Event[] | null;
  /** What became of something the user wanted. */
  notice: string | null;
  /** Local milliseconds: now, when the card came up, when the record last moved, and the pauses between moves. */
  now: number;
  since: number;
  movedAt: number | null;
  pauses: readonly number[];
}

/** Series as they stand in traits and saved outputs. */
export type KeptSeries = Record<string, readonly Point[]>;

export type Happening = { at: number } & (
  | { kind: "asked" }
  | {
      kind: "answered";
      job: { head: number; job: Job };
      metrics: { head: number; series: Record<string, { count: number; points: readonly Point[] }> };
    }
  /** The question came to nothing; what is shown stays. */
  | { kind: "unanswered" }
  /** The server does not know the job: what is shown is from here on what `source` holds. */
  | { kind: "stranger"; source: Source }
  /** The server knows that it was deleted. */
  | { kind: "deleted"; by: string }
  | { kind: "events"; events: readonly Event[] }
  /** Of each kind the newest there is. */
  | { kind: "latest"; events: readonly Event[] }
  /** A whole record, and whole series: from a snapshot, from an answer, from traits. */
  | { kind: "record"; job: Job; head?: number; series?: KeptSeries }
  | { kind: "link"; link: Link }
  /** The store was replaced: sequence numbers known so far mean nothing. */
  | { kind: "reset" }
  /** Lines of output that were asked for. */
  | { kind: "written"; first: number; lines: readonly string[] }
  /** A part of the series that was asked for, in its own detail. */
  | { kind: "near"; from: number; to: number; series: Record<string, { count: number; points: readonly Point[] }> }
  | { kind: "noticed"; text: string | null }
  | { kind: "tick" }
);

const PAUSES = 15;

export function freshCard(jobId: string, source: Source, now: number): Card {
  return {
    jobId,
    source,
    job: null,
    jobHead: -1,
    seriesHead: -1,
    series: NO_SERIES,
    near: null,
    log: NO_LOG,
    use: null,
    connection: NO_CONNECTION,
    asOf: null,
    deleted: null,
    asked: null,
    notice: null,
    now,
    since: now,
    movedAt: null,
    pauses: [],
  };
}

export function reduce(before: Card, happening: Happening): Card {
  const at = happening.at;
  const card = { ...before, now: at, connection: settle(before.connection, before.connection.link, at) };
  switch (happening.kind) {
    case "tick":
      return card;
    case "link":
      return { ...card, connection: settle(before.connection, happening.link, at) };
    case "noticed":
      return { ...card, notice: happening.text };
    case "asked":
      return { ...card, asked: [] };
    case "unanswered":
      return { ...card, asked: null };
    case "stranger":
      return { ...card, asked: null, source: happening.source };
    case "deleted":
      return gone(card, happening.by);
    case "written":
      return { ...card, log: written(card.log, happening.first, happening.lines) };
    case "reset":
      return { ...card, jobHead: -1, seriesHead: -1, near: null };
    case "near":
      return { ...card, near: { from: happening.from, to: happening.to, series: measured(happening.series) } };
    case "record":
      return recorded(card, happening.job, happening.head, happening.series);
    case "answered": {
      // It was on its way.
      if (card.deleted !== null) return card;
      const { job, metrics } = happening;
      const answered: Card = {
        ...card,
        source: "server",
        asOf: null,
        job: succeed(card.job, job.job),
        jobHead: job.head,
        series: measured(metrics.series),
        seriesHead: metrics.head,
        log: written(card.log, Math.max(job.job.log_lines - job.job.log_tail.length, 0), job.job.log_tail),
        asked: null,
        movedAt: card.movedAt ?? at,
      };
      return (card.asked ?? []).reduce(heard, answered);
    }
    case "latest": {
      const use = useIn(happening.events, card.jobId);
      return use === undefined ? card : { ...card, use };
    }
    case "events": {
      const next = happening.events.reduce(heard, card);
      return card.asked ? { ...next, asked: [...card.asked, ...ofJob(happening.events, card.jobId)] } : next;
    }
  }
}

function recorded(card: Card, job: Job, head: number | undefined, series: KeptSeries | undefined): Card {
  if (head !== undefined && head < card.jobHead) return card;
  // A record that is over does not rise again from an answer that was on its way.
  if (head === undefined && card.job && isOver(card.job) && !isOver(job)) return card;
  const kept = series && Object.fromEntries(Object.entries(series).map(([name, points]) => [name, whole(points)]));
  return {
    ...moved(card),
    job: succeed(card.job, job),
    jobHead: head ?? card.jobHead,
    series: kept ? measured(kept) : card.series,
  };
}

function whole(points: readonly Point[]): { count: number; points: readonly Point[] } {
  return { count: points.length, points };
}

function heard(card: Card, event: Event): Card {
  if (!("job_id" in event) || event.job_id !== card.jobId || event.seq === null) return card;
  const { seq } = event;
  if (event.type === "metric_points") {
    if (seq <= card.seriesHead) return card;
    return { ...moved(card), series: append(card.series, event.points), seriesHead: seq };
  }
  if (event.type === "log_lines") return { ...card, log: written(card.log, event.first, event.lines) };
  if (seq <= card.jobHead) return card;
  if (event.type === "job_deleted") return gone({ ...card, jobHead: seq }, event.by);
  return { ...moved(card), job: told(card.job, card.jobId, event), jobHead: seq };
}

/** Nothing can be asked of the server any more; what was known stays. */
function gone(card: Card, by: string): Card {
  return { ...card, asked: null, deleted: by, source: card.source === "saved" ? "saved" : "kernel", notice: null };
}

function moved(card: Card): Card {
  const { movedAt, now } = card;
  if (movedAt === null || movedAt === now) return { ...card, movedAt: now };
  return { ...card, movedAt: now, pauses: [...card.pauses, now - movedAt].slice(-PAUSES) };
}

function ofJob(events: readonly Event[], jobId: string): Event[] {
  return events.filter((event) => "job_id" in event && event.job_id === jobId);
}
