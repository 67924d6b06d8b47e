/**
 * Sends files in parts, one file at a time; goes on where the server stands, after a lost connection and, when the same
 * file comes again, after a reload. Not here: what is shown of it (state/uploads.ts).
 */

import { LEAST_CHUNK } from "../protocol";
import { fresh, lost as lostFile, type Upload, unfit } from "../state/uploads";
import { freshKey } from "./keys";
import type { Put } from "./put";
import { RequestFailed, type Rest } from "./rest";
import { wait } from "./stream";

interface Standing {
  upload_id: string;
  offset: number;
  bytes: number;
  state: "open" | "reading" | "completed" | "failed";
  dataset_id: string | null;
  version: number | null;
  problem: { message: string } | null;
  line: number | null;
  /** Bytes to send at once. */
  chunk?: number;
}

/** Which upload a file was, kept where a reload finds it. */
export interface Memory {
  get(file: string): string | null;
  set(file: string, uploadId: string | null): void;
}

/** Where the answer does not say. */
const PART = 4 * 2 ** 20;
/** Parts that are lost in a row at the same place: a proxy that takes no more than a smaller one cuts some of them. */
const LOST = 2;
/** An answer that tells of the end may be missed. */
const ASK_MS = 1_000;

export class Uploads {
  readonly #rest: Rest;
  readonly #put: Put;
  readonly #told: (key: string, change: Partial<Upload> | null) => void;
  readonly #memory: Memory;
  readonly #most: () => number | null;
  readonly #going = new Map<string, AbortController>();
  #last: Promise<void> = Promise.resolve();

  /** `most`: how many bytes the server takes, where that is known; it says so itself before any is sent. */
  constructor(
    rest: Rest,
    put: Put,
    memory: Memory,
    tell: (key: string, change: Partial<Upload> | null) => void,
    most: () => number | null = () => null,
  ) {
    this.#rest = rest;
    this.#put = put;
    this.#memory = memory;
    this.#told = tell;
    this.#most = most;
  }

  /** Returns its key. */
  send(file: File): string {
    const key = freshKey();
    const why = unfit(file.name, file.size, this.#most());
    this.#tell(key, { ...fresh(key, file.name, file.size), ...(why !== null && { phase: "failed", error: why }) });
    if (why !== null) return key;
    const leaving = new AbortController();
    this.#going.set(key, leaving);
    this.#last = this.#last.then(() => this.#run(key, file, leaving.signal)).finally(() => this.#going.delete(key));
    return key;
  }

  /** Stops one that goes on, here and on the server; one that is over is seen no more. */
  drop(key: string): void {
    this.#going.get(key)?.abort();
    this.#told(key, null);
  }

  /** Of one that was dropped nothing more is heard. */
  #tell(key: string, change: Partial<Upload>): void {
    if (!this.#going.get(key)?.signal.aborted) this.#told(key, change);
  }

  async #run(key: string, file: File, signal: AbortSignal): Promise<void> {
    let id: string | null = null;
    try {
      signal.throwIfAborted();
      const begun = await this.#begin(file, signal);
      id = begun.upload_id;
      this.#tell(key, { uploadId: id, sent: begun.offset, phase: "sending" });
      if (begun.state === "open") await this.#parts(key, file, begun, signal);
      await this.#finish(key, file, id, signal);
    } catch (error) {
      if (signal.aborted) {
        // What has arrived is of no use to anybody.
        this.#memory.set(named(file), null);
        if (id !== null) await this.#rest.ask("DELETE", `uploads/${id}`).catch(() => {});
        return;
      }
      this.#tell(key, { phase: "failed", error: error instanceof Error ? error.message : String(error) });
      // The next file goes all the same.
      if (!(error instanceof RequestFailed)) reportError(error);
    }
  }

  /** Where the server stands with this file. */
  async #begin(file: File, signal: AbortSignal): Promise<Standing> {
    const known = this.#memory.get(named(file));
    if (known !== null) {
      const standing = await this.#patiently(null, signal, () => this.#standing(known, signal)).catch(unknownHere);
      if (standing && standing.bytes === file.size && (standing.state === "open" || standing.state === "reading")) return standing;
    }
    const asked = { name: stem(file.name), filename: file.name, bytes: file.size };
    const answer = await this.#patiently(null, signal, () => this.#rest.ask<Standing>("POST", "uploads", {}, signal, {}, asked));
    this.#memory.set(named(file), answer.upload_id);
    return { ...answer, state: "open" };
  }

  async #parts(key: string, file: File, begun: Standing, signal: AbortSignal): Promise<void> {
    let { offset } = begun;
    let most = begun.chunk ?? PART;
    let lost = 0;
    while (offset < file.size) {
      const from = offset;
      const part = file.slice(from, from + most);
      try {
        const path = `uploads/${begun.upload_id}`;
        const answer = await this.#put(path, from, part, (bytes) => this.#tell(key, { phase: "sending", sent: from + bytes }), signal);
        offset = (answer as { offset: number }).offset;
        lost = 0;
      } catch (error) {
        if (!(error instanceof RequestFailed)) throw error;
        if (!(await readable(file))) throw new RequestFailed(0, lostFile());
        const small = most <= LEAST_CHUNK;
        if (error.status === 413 && small) throw error;
        lost += error.status === 0 ? 1 : 0;
        if (error.status === 413 || (lost > LOST && !small)) {
          most = Math.max(Math.floor(most / 2), LEAST_CHUNK);
          lost = 0;
          continue;
        }
        // Refused for good, unless another offset is the right one.
        if (error.status !== 409 && !passing(error)) throw error;
        const { state, offset: there } = await this.#patiently(key, signal, () => this.#standing(begun.upload_id, signal), error);
        if (state !== "open") return;
        offset = there;
      }
      this.#tell(key, { phase: "sending", sent: offset });
    }
  }

  async #finish(key: string, file: File, id: string, signal: AbortSignal): Promise<void> {
    const finish = () => this.#rest.ask<Standing | Duplicate>("POST", `uploads/${id}/finish`, {}, signal);
    // One that was finished before a reload, or whose answer was lost, is being read already.
    const answer = await this.#patiently(key, signal, finish).catch((error: unknown) => {
      if (error instanceof RequestFailed && error.status === 409) return null;
      throw error;
    });
    this.#memory.set(named(file), null);
    if (answer && "duplicate_of" in answer) {
      this.#tell(key, { phase: "same", sent: file.size, dataset: same(answer) });
      return;
    }
    this.#tell(key, { phase: "reading", sent: file.size });
    for (;;) {
      await pause(ASK_MS, signal);
      const { state, dataset_id, version, problem, line } = await this.#patiently(null, signal, () => this.#standing(id, signal));
      if (state === "failed") this.#tell(key, { phase: "failed", error: problem?.message ?? "", line });
      else if (state === "completed" && dataset_id !== null) {
        this.#tell(key, { phase: "done", dataset: { id: dataset_id, version } });
      } else continue;
      return;
    }
  }

  #standing(id: string, signal: AbortSignal): Promise<Standing> {
    return this.#rest.ask("GET", `uploads/${id}`, {}, signal);
  }

  /** Asks again as long as nothing gets through; `key` is told so. `after`: what failed before. */
  async #patiently<Answer>(key: string | null, signal: AbortSignal, ask: () => Promise<Answer>, after?: RequestFailed): Promise<Answer> {
    let failed = after && after.status !== 409 ? 1 : 0;
    for (;;) {
      if (failed > 0) {
        if (key !== null) this.#tell(key, { phase: "cut" });
        await pause(1000 * wait(failed, Math.random), signal);
      }
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof RequestFailed) || !passing(error)) throw error;
        failed += 1;
      }
    }
  }
}

interface Duplicate {
  duplicate_of: { dataset: string; version: number };
}

function same({ duplicate_of: { dataset, version } }: Duplicate): Upload["dataset"] {
  return { id: dataset, version };
}

/** Whether the same question may be answered later. */
function passing({ status }: RequestFailed): boolean {
  return [0, 429, 502, 503, 504].includes(status);
}

function unknownHere(error: unknown): null {
  if (error instanceof RequestFailed) return null;
  throw error;
}

/** What tells a file from others as far as a page may know. */
function named({ name, size, lastModified }: File): string {
  return `${name}|${size}|${lastModified}`;
}

function stem(filename: string): string {
  return filename.replace(/\.[^.]*$/, "") || filename;
}

async function readable(file: File): Promise<boolean> {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", leave);
      resolve();
    }, ms);
    const leave = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
  });
}
