/** Files on their way to the server, as a pure state: how far each is, how fast, and what became of it. */

import type { Event } from "../protocol";
import { trans } from "../words";
import type { Dataset, DatasetVersion } from "./assets";
import { count, percent, size } from "./figures";
import { rounded } from "./times";

export interface Upload {
  /** This page's own name for it; of uploads of others, their id. */
  key: string;
  filename: string;
  bytes: number;
  /** What the server has, and what is under way beyond that. */
  sent: number;
  phase:
    | "waiting"
    | "sending"
    /** Nothing gets through; it goes on by itself. */
    | "cut"
    /** All of it is there: the server reads the table. */
    | "reading"
    | "done"
    /** The server has this content already. */
    | "same"
    | "failed"
    /** Somebody else's. */
    | "elsewhere";
  uploadId: string | null;
  /** Milliseconds and bytes, of the last seconds. */
  pace: readonly (readonly [at: number, sent: number])[];
  error: string | null;
  /** Where in the file, counted from 1. */
  line: number | null;
  /** What it is now. */
  dataset: { id: string; version: number | null } | null;
}

export const EXTENSIONS = [".csv", ".parquet"] as const;
const PACE_MS = 5_000;
/** Less says nothing about the rest. */
const LEAST_MS = 500;

export function fresh(key: string, filename: string, bytes: number): Upload {
  return { key, filename, bytes, sent: 0, phase: "waiting", uploadId: null, pace: [], error: null, line: null, dataset: null };
}

/** Why a file is not sent at all; null where it may be. `most`: what the server takes, where that is known. */
export function unfit(filename: string, bytes: number, most: number | null): string | null {
  if (!EXTENSIONS.some((one) => filename.toLowerCase().endsWith(one))) {
    return trans.__("Not sent: it is neither a .csv nor a .parquet file.");
  }
  if (bytes === 0) return trans.__("Not sent: it is empty.");
  if (most !== null && bytes > most) return trans.__("Not sent: it has %1, and %2 is the most.", size(bytes), size(most));
  return null;
}

/** Said of a file that was moved or written to while it was sent. */
export function lost(): string {
  return trans.__("The file has changed, or cannot be read any more.");
}

/** The uploads after one has changed; null takes it away, and one that is new comes last. */
export function changed(uploads: readonly Upload[], key: string, change: Partial<Upload> | null, at: number): readonly Upload[] {
  if (change === null) return uploads.filter((one) => one.key !== key);
  const before = uploads.find((one) => one.key === key);
  if (!before) return [...uploads, { ...fresh(key, "", 0), ...change }];
  const next = { ...before, ...change };
  if (change.phase === "cut") next.pace = [];
  else if (next.sent !== before.sent) next.pace = [...before.pace.filter(([when]) => at - when < PACE_MS), [at, next.sent]];
  // One that goes on after a reload was somebody else's until the server said which it is.
  const twin = (one: Upload) => one !== before && next.uploadId !== null && one.uploadId === next.uploadId;
  return uploads.filter((one) => !twin(one)).map((one) => (one === before ? next : one));
}

/** Own uploads hear from the server what became of them; those of others are seen while they come. */
export function heardUploads(uploads: readonly Upload[], events: readonly Event[]): readonly Upload[] {
  let next = uploads;
  for (const event of events) {
    const { type } = event;
    if (type !== "upload_progress" && type !== "upload_completed" && type !== "upload_failed" && type !== "upload_cancelled") continue;
    const known = next.find((one) => one.uploadId === event.upload_id);
    if (known && known.phase !== "elsewhere") {
      // Of its own that was cancelled elsewhere a page hears as the answer to the next part.
      if (type === "upload_progress" || type === "upload_cancelled" || ["done", "same", "failed"].includes(known.phase)) continue;
      const became: Partial<Upload> =
        type === "upload_failed"
          ? { phase: "failed", error: event.error, line: event.line }
          : { phase: "done", sent: known.bytes, dataset: { id: event.dataset_id, version: event.version } };
      next = changed(next, known.key, became, Date.parse(event.time));
    } else if (type === "upload_progress") {
      const { upload_id: uploadId, filename, bytes_sent: sent, bytes_total: bytes } = event;
      next = changed(next, known?.key ?? uploadId, { uploadId, filename, bytes, sent, phase: "elsewhere" }, Date.parse(event.time));
    } else if (known) {
      next = changed(next, known.key, null, 0);
    }
  }
  return next;
}

/** Whether it still goes on, so that it can be cancelled. */
export function goesOn({ phase }: Upload): boolean {
  return phase === "waiting" || phase === "sending" || phase === "cut";
}

/** Bytes a second; null while too little was sent to tell. */
export function speed({ pace, phase }: Upload): number | null {
  const [first, last] = [pace[0], pace.at(-1)];
  if (phase !== "sending" || !first || !last || last[0] - first[0] < LEAST_MS) return null;
  const rate = ((last[1] - first[1]) * 1000) / (last[0] - first[0]);
  return rate > 0 ? rate : null;
}

/** `45 % · 3.1 MB/s · ~0:12`, or what the matter is. */
export function standing(upload: Upload): string {
  const done = upload.bytes > 0 ? percent((100 * upload.sent) / upload.bytes) : "";
  switch (upload.phase) {
    case "waiting":
      return trans.__("waits for the one before");
    case "sending": {
      const rate = speed(upload);
      if (rate === null) return done;
      return `${done} · ${trans.__("%1/s", size(rate))} · ~${rounded((upload.bytes - upload.sent) / rate)}`;
    }
    case "cut":
      return trans.__("%1 · the server does not answer; goes on by itself", done);
    case "elsewhere":
      return trans.__("%1 · sent by somebody else", done);
    case "reading":
      return trans.__("all there; the server reads it");
    case "failed":
      return upload.line === null ? (upload.error ?? "") : `${trans.__("line %1", count(upload.line))}: ${upload.error ?? ""}`;
    case "done":
    case "same":
      return "";
  }
}

/** `already uploaded as customers v1`. */
export function sameAs(upload: Upload, datasets: readonly Dataset[] | null): string {
  const known = datasets?.find((one) => one.id === upload.dataset?.id);
  const called = known && `${known.name}${upload.dataset?.version ? ` v${upload.dataset.version}` : ""}`;
  return called ? trans.__("already uploaded as %1", called) : trans.__("already uploaded");
}

/** `7 043 rows × 21 columns · 0.9 MB · sha 9c1…`. */
export function result(version: Pick<DatasetVersion, "rows" | "columns" | "bytes" | "sha256">): string {
  return [shape(version.rows, version.columns), size(version.bytes), trans.__("sha %1", `${version.sha256.slice(0, 3)}…`)].join(" · ");
}

export function shape(rows: number, columns: number): string {
  const high = trans._n("%1 row", "%1 rows", rows).replace(String(rows), count(rows));
  const wide = trans._n("%1 column", "%1 columns", columns).replace(String(columns), count(columns));
  return `${high} × ${wide}`;
}
