/**
 * The same events through the kernel, for pages that cannot reach the server: an anywidget's model holds what the
 * kernel passes on (mlops_jupyter/notebook/relay.py), always enough by itself, since a busy kernel cannot be asked.
 */

import type { AnyModel } from "@anywidget/types";
import type { Event, Job, Snapshot } from "../protocol";
import { Client } from "./client";
import { freshKey } from "./keys";
import { type Ask, RequestFailed, Rest } from "./rest";
import type { Cursor, Listener, Transport } from "./transport";

export interface Relayed {
  relayed: boolean;
  /** What a page asks for when it opens, as of an event. */
  opening: DataView;
  /** All events since then. */
  batch: DataView;
}

interface Opening {
  epoch: string;
  head: number;
  version: string;
  server: string;
  answers: Record<string, unknown>;
}

interface Batch {
  epoch: string;
  prev: number;
  head: number;
  events: Event[];
  latest: Record<string, Event>;
  rev: number;
  /** Nothing more will come. */
  over: boolean;
  /** The kernel does not reach the server. */
  trouble: string | null;
  time: string;
}

/** The kernel says something every 15 s at least. */
const SILENCE_MS = 38_000;
const SILENT = "nothing heard from the kernel for 38 s";
const WATCH_MS = 1_000;

/** A client of its own for each model; what it holds is of use to no other. */
export function relayClient(model: AnyModel<Relayed>): Client {
  const channel = new Channel(model);
  const rest = new Rest((...question) => channel.ask(...question));
  return new Client({ rest, name: channel.server }, () => new RelayTransport(channel));
}

export class Channel {
  readonly #model: AnyModel<Relayed>;
  #read = new WeakMap<DataView, unknown>();
  #waiting = new Map<string, { resolve(answer: unknown): void; reject(error: Error): void }>();
  heardAt = performance.now();
  /** The last event that was told: what the opening answers is complete only as long as that is not beyond it. */
  told = -1;

  constructor(model: AnyModel<Relayed>) {
    this.#model = model;
    this.onChange(() => {
      this.heardAt = performance.now();
    });
    model.on("msg:custom", (content: unknown, buffers: DataView[]) => this.#answered(content, buffers));
  }

  get opening(): Opening | null {
    return this.#parsed<Opening>("opening");
  }

  get batch(): Batch | null {
    return this.#parsed<Batch>("batch");
  }

  get server(): string {
    return this.opening?.server ?? "";
  }

  /** Whether nothing was heard for so long that nothing will come any more, though more was to be expected. */
  get silent(): boolean {
    return performance.now() - this.heardAt >= SILENCE_MS && !this.batch?.over;
  }

  onChange(call: () => void, signal?: AbortSignal): void {
    for (const name of ["change:opening", "change:batch"] as const) {
      this.#model.on(name, call);
      signal?.addEventListener("abort", () => this.#model.off(name, call));
    }
  }

  ask(...[method, path, query, signal, more, body]: Parameters<Ask>): Promise<unknown> {
    const search = new URLSearchParams(query).toString();
    const question = search ? `${path}?${search}` : path;
    const opening = this.opening;
    if (method === "GET" && opening && this.told <= opening.head && question in opening.answers) {
      return Promise.resolve(opening.answers[question]);
    }
    const ask = freshKey();
    return new Promise((resolve, reject) => {
      this.#waiting.set(ask, { resolve, reject });
      signal?.addEventListener("abort", () => {
        this.#waiting.delete(ask);
        reject(signal.reason);
      });
      this.#model.send({ ask, method, path: question, key: more["Idempotency-Key"], match: more["If-Match"], body });
    });
  }

  #answered(content: unknown, buffers: DataView[]): void {
    const { answer, status } = content as { answer?: string; status?: number };
    const waiting = this.#waiting.get(answer ?? "");
    const [body] = buffers;
    if (!waiting || !body) return;
    this.#waiting.delete(answer ?? "");
    const said = JSON.parse(new TextDecoder().decode(body));
    if (status && status < 400) waiting.resolve(said);
    else waiting.reject(new RequestFailed(status ?? 0, String(said.message ?? status)));
  }

  /** What a trait holds; null while the kernel has said nothing. */
  #parsed<Said>(name: "opening" | "batch"): Said | null {
    const held = this.#model.get(name);
    if (!held?.byteLength) return null;
    if (!this.#read.has(held)) this.#read.set(held, JSON.parse(new TextDecoder().decode(held)));
    return this.#read.get(held) as Said;
  }
}

export class RelayTransport implements Transport {
  readonly kind = "relay";
  readonly #channel: Channel;
  readonly #closing = new AbortController();
  #cursor: Cursor | null = null;
  #rev = 0;
  #frame: ReturnType<typeof setTimeout> | undefined;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  open(cursor: Cursor | null, listener: Listener): void {
    this.#cursor = cursor;
    const { signal } = this.#closing;
    this.#channel.onChange(() => this.#tell(listener, this.#channel.batch?.time), signal);
    const watch = setInterval(() => {
      if (this.#channel.silent) this.#end(listener, SILENT);
    }, WATCH_MS);
    signal.addEventListener("abort", () => {
      clearInterval(watch);
      clearTimeout(this.#frame);
    });
    queueMicrotask(() => this.#tell(listener));
  }

  close(): void {
    this.#closing.abort();
  }

  #end(listener: Listener, why: string): void {
    this.close();
    listener.ended("unreachable", why);
  }

  #tell(listener: Listener, time?: string): void {
    if (this.#closing.signal.aborted) return;
    const { opening, batch, silent } = this.#channel;
    const trouble = silent ? SILENT : batch?.trouble;
    if (trouble) {
      this.#end(listener, trouble);
      return;
    }
    if (!opening || !batch) return;
    const { epoch, head } = batch;
    listener.message({ type: "hello", epoch, head, version: opening.version, ...(time && { server_time: time }) });
    if (this.#cursor?.epoch !== epoch || this.#cursor.since < opening.head) this.#begin(opening, listener);
    // After what the opening answers, which is asked for first.
    this.#frame ??= setTimeout(() => {
      this.#frame = undefined;
      this.#follow(listener);
    });
  }

  #begin({ epoch, head, answers }: Opening, listener: Listener): void {
    const said = { time: "", seq: null, priority: "low" } as const;
    if (this.#cursor) listener.message({ type: "reset", ...said, epoch, why: "The kernel began anew" });
    this.#cursor = { since: head, epoch };
    this.#channel.told = head;
    listener.message({ type: "snapshot", ...said, head, jobs: jobsIn(answers) } satisfies Snapshot & { type: "snapshot" });
  }

  #follow(listener: Listener): void {
    const { batch } = this.#channel;
    if (!batch || !this.#cursor || batch.epoch !== this.#cursor.epoch) return;
    const { latest, rev } = batch;
    const { since } = this.#cursor;
    this.#cursor = { ...this.#cursor, since: Math.max(since, batch.head) };
    // Before they are heard: whoever asks because of one of them is not to get what was before it.
    this.#channel.told = Math.max(this.#channel.told, batch.head);
    listener.message({ type: "frame", events: batch.events.filter(({ seq }) => (seq ?? 0) > since), prev: since });
    if (rev === this.#rev) return;
    this.#rev = rev;
    const newest = Object.values(latest);
    if (newest.length > 0) listener.message({ type: "latest", events: newest });
  }
}

function jobsIn(answers: Record<string, unknown>): Job[] {
  return Object.entries(answers).flatMap(([question, answer]) =>
    question.startsWith("jobs?") ? (answer as { jobs: Job[] }).jobs : [],
  );
}
