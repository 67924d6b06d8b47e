/** Jobs as rows: which are at work and which are over, in what order, and the few words of each. */

import type { Job } from "../protocol";
import { trans } from "../words";
import type { Board } from "./board";
import { answering } from "./connection";
import { causeOf, type Mark } from "./face";
import { figure, percent, roughly, span } from "./figures";
import { jobUse } from "./machine";
import { isOver, shortId } from "./job";
import { rounded } from "./times";

export interface Row {
  id: string;
  job: Job;
  mark: Mark;
  /** The state as a word, for those who do not see the mark. */
  word: string;
  name: string;
  /** `58 % ~0:04`, `0.980`. */
  figures: string;
  /** `9 s · 2 min ago`, the cause of a failure before it; of one at work what it takes. */
  note: string;
}

export interface Rows {
  /** Queued, starting, running, paused or stopping: the newest first. */
  open: Row[];
  /** Over: the newest first. */
  over: Row[];
}

const MOST = 30;

/** Rows of the jobs whose name, id or estimator holds all words of `filter`. */
export function rows(board: Board, filter = ""): Rows {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const found = [...board.jobs.values()].filter((job) => {
    const text = `${job.name} ${job.job_id} ${job.estimator ?? ""} ${job.status}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const open = found.filter((job) => !isOver(job)).sort(byAge);
  const over = found.filter(isOver).sort(byAge);
  return { open: open.map((job) => row(job, board)), over: over.map((job) => row(job, board)) };
}

/** What the whole comes to in at most 30 characters, which leaves two for a mark, and whether that is bad news. */
export function summary(board: Board): { text: string; trouble: boolean } {
  const { text, trouble } = whole(board);
  return { text: short(text, MOST), trouble };
}

function whole(board: Board): { text: string; trouble: boolean } {
  const { shown } = board.connection;
  if (shown === "forbidden") return { text: trans.__("mlops: signed out"), trouble: true };
  if (shown !== "connecting" && !answering(board.connection)) return { text: trans.__("mlops: server not reachable"), trouble: true };
  const open = [...board.jobs.values()].filter((job) => !isOver(job)).sort(byAge);
  const [first] = open;
  if (!first) return { text: "mlops", trouble: false };
  if (open.length > 1) {
    const queued = open.filter((job) => job.status === "queued").length;
    const known = open.filter((job) => job.status !== "queued").map((job) => job.progress ?? 0);
    const mean = known.reduce((sum, progress) => sum + progress, 0) / Math.max(known.length, 1);
    const running = trans._n("%1 running %2", "%1 running %2", known.length, percent(mean));
    const waiting = queued > 0 ? trans._n(", %1 queued", ", %1 queued", queued) : "";
    return { text: `${running}${waiting}`, trouble: false };
  }
  const tail = ` ${figures(first)}`;
  return { text: `${short(first.name, MOST - tail.length)}${tail}`, trouble: false };
}

export function row(job: Job, board: Board): Row {
  const { now } = board;
  const over = isOver(job);
  const ended = job.end_time === null ? null : (now - Date.parse(job.end_time)) / 1000;
  const ran = job.elapsed_time === null ? "" : span(job.elapsed_time);
  const ago = ended === null ? "" : ended < 10 ? trans.__("just now") : trans.__("%1 ago", roughly(ended));
  return {
    id: job.job_id,
    job,
    mark: job.status === "completed" ? "done" : job.status,
    word: word(job.status),
    name: job.name || shortId(job.job_id),
    figures: over ? outcome(job) : figures(job),
    note: over ? [cause(job), ran, ago].filter(Boolean).join(" · ") : jobUse(board, job.job_id),
  };
}

/** How far a job is that is not over: `58 % ~0:04`. */
export function figures(job: Job): string {
  if (job.unreadable) return trans.__("record unreadable");
  if (job.status === "queued") return job.ahead ? trans.__("queued, %1 ahead", String(job.ahead)) : trans.__("queued, next");
  if (job.progress === null || job.status === "starting") return word(job.status);
  const left = job.status === "running" && job.estimated_remaining !== null ? ` ~${rounded(job.estimated_remaining)}` : "";
  return `${job.status === "running" ? "" : `${word(job.status)} `}${percent(job.progress)}${left}`;
}

function word(status: Job["status"]): string {
  const words: Record<Job["status"], string> = {
    queued: trans.__("queued"),
    starting: trans.__("starting"),
    running: trans.__("running"),
    paused: trans.__("paused"),
    stopping: trans.__("stopping"),
    completed: trans.__("completed"),
    failed: trans.__("failed"),
    lost: trans.__("lost"),
    cancelled: trans.__("cancelled"),
  };
  return words[status];
}

function outcome(job: Job): string {
  if (job.unreadable) return trans.__("record unreadable");
  if (job.status !== "completed") return word(job.status);
  return job.final_score === null ? "" : figure(job.final_score);
}

function cause(job: Job): string {
  return job.status === "failed" || job.status === "lost" ? (job.error?.split("\n")[0] ?? causeOf(job.reason)) : "";
}

/** Ids are random: the time of the queue tells who came later. */
function byAge(one: Job, other: Job): number {
  return (other.submitted_time ?? "").localeCompare(one.submitted_time ?? "");
}

function short(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, Math.max(most - 1, 1))}…`;
}
