/** What this page knows of its server, followed as long as the page is there: one state for all that shows it. */

import type { Client, Delivery } from "../client/client";
import { freshKey } from "../client/keys";
import { RequestFailed } from "../client/rest";
import type { Event } from "../protocol";
import { type Action, refused } from "../state/actions";
import { type List, type Lists, outdated } from "../state/assets";
import { type Board, type BoardHappening, freshBoard, MOST_ROWS, reduceBoard } from "../state/board";
import type { Upload } from "../state/uploads";

type Told = BoardHappening extends infer One ? (One extends BoardHappening ? Omit<One, "at"> : never) : never;

const TICK_MS = 1_000;
/** A question that failed is asked again, but not with each event. */
const AGAIN_MS = 5_000;
/** As many as a snapshot has. */
const JOBS = 50;

type Past = "jobs" | "activity" | "system" | List;
const ALL: readonly Past[] = ["jobs", "activity", "system", "datasets", "models", "endpoints", "pipelines"];

export class PageBoard {
  readonly #client: Client;
  readonly #wants: readonly Past[];
  #signal = new AbortController().signal;
  readonly #watchers = new Set<(board: Board, before: Board) => void>();
  readonly #listeners = new Set<(events: readonly Event[]) => void>();
  #board = freshBoard(Date.now());
  #before = this.#board;
  #drawing = false;
  #loaded = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** Lists that are others than those that are shown, and whether they are being asked for. */
  readonly #stale = new Set<List>();
  #refreshing = false;

  /** `wants`: what of the time before is asked for. */
  constructor(client: Client, wants: readonly Past[] = ALL) {
    this.#client = client;
    this.#wants = wants;
  }

  /** Follow the server until `signal` says stop. */
  start(signal: AbortSignal): void {
    this.#signal = signal;
    this.#client.subscribe((delivery) => this.#hear(delivery), signal);
    const ticks = setInterval(() => {
      if (document.visibilityState !== "hidden") this.#happen({ kind: "tick" });
    }, TICK_MS);
    signal.addEventListener("abort", () => clearInterval(ticks));
  }

  get board(): Board {
    return this.#board;
  }

  /** Called with what is known now, and what was known at the call before. */
  watch(watcher: (board: Board, before: Board) => void, signal?: AbortSignal): void {
    this.#watchers.add(watcher);
    signal?.addEventListener("abort", () => this.#watchers.delete(watcher));
  }

  /** Called with each event, which may change nothing of what is known. */
  listen(listener: (events: readonly Event[]) => void, signal?: AbortSignal): void {
    this.#listeners.add(listener);
    signal?.addEventListener("abort", () => this.#listeners.delete(listener));
  }

  /** What can be asked for where no single job is meant. */
  act(action: Action): void {
    if (action.do === "reconnect") this.#client.reconnect();
    if (action.do === "use") this.#client.use(action.way);
  }

  /** Ask for these lists again. */
  refresh(...lists: List[]): void {
    for (const list of lists) if (this.#wants.includes(list)) this.#stale.add(list);
    void this.#refresh();
  }

  /** What became of something the user wanted. */
  say(text: string): void {
    this.#happen({ kind: "noticed", text });
  }

  /** What became of an upload of this page. */
  upload(key: string, change: Partial<Upload> | null): void {
    this.#happen({ kind: "upload", key, change });
  }

  /** What can be asked of one job; returns the id of the next attempt where that was asked for. */
  async order(jobId: string, action: Action): Promise<string | null> {
    const { rest } = this.#client;
    try {
      let next: string | null = null;
      if (action.do === "stop") await rest.stop(jobId);
      else if (action.do === "pause") await rest.pause(jobId);
      else if (action.do === "resume") await rest.resume(jobId);
      else if (action.do === "delete") await rest.remove(jobId);
      else if (action.do === "rerun") next = (await rest.rerun(jobId, freshKey())).job_id;
      this.#happen({ kind: "noticed", text: null });
      return next;
    } catch (error) {
      if (!(error instanceof RequestFailed)) throw error;
      this.#happen({ kind: "noticed", text: `${refused(action)}: ${error.message}` });
      return null;
    }
  }

  #hear(delivery: Delivery): void {
    switch (delivery.kind) {
      case "snapshot":
        this.#happen({ kind: "snapshot", jobs: delivery.snapshot.jobs });
        return;
      case "reset":
        this.#loaded = false;
        this.#askedAt = Number.NEGATIVE_INFINITY;
        this.#happen(delivery);
        return;
      case "link":
        this.#happen(delivery);
        if (delivery.link.phase === "connected") void this.#load();
        if (delivery.link.phase === "connected") void this.#refresh();
        return;
      case "events":
        this.#happen({ kind: "events", events: delivery.events });
        for (const listener of [...this.#listeners]) listener(delivery.events);
        this.refresh(...outdated(delivery.events));
        return;
      default:
        this.#happen(delivery);
    }
  }

  /**
   * What was before; what happens meanwhile comes by itself. Asked for, since a card may have been the first to
   * listen, and the stream begins with a snapshot only once.
   */
  async #load(): Promise<void> {
    if (this.#loaded || Date.now() - this.#askedAt < AGAIN_MS) return;
    this.#loaded = true;
    this.#askedAt = Date.now();
    try {
      for (const past of this.#wants) await this.#ask(past);
    } catch (error) {
      // Whatever is heard of the connection next asks again.
      this.#loaded = false;
      if (!this.#signal.aborted && !(error instanceof RequestFailed)) throw error;
    }
  }

  /** One question for all that happens while it is on its way. */
  async #refresh(): Promise<void> {
    if (this.#refreshing) return;
    this.#refreshing = true;
    try {
      for (const list of this.#stale) {
        this.#stale.delete(list);
        await this.#ask(list).catch((error: unknown) => {
          // With the next news, then.
          this.#stale.add(list);
          throw error;
        });
      }
    } catch (error) {
      if (!this.#signal.aborted && !(error instanceof RequestFailed)) throw error;
    } finally {
      this.#refreshing = false;
    }
  }

  async #ask(past: Past): Promise<void> {
    const { rest } = this.#client;
    if (past === "jobs") {
      this.#happen({ kind: "answered", jobs: (await rest.jobs(JOBS, this.#signal)).jobs });
    } else if (past === "activity") {
      this.#happen({ kind: "feed", rows: (await rest.activity(MOST_ROWS, this.#signal)).activity });
    } else if (past !== "system") {
      this.#happen({ kind: "listed", lists: await rest.ask<Lists>("GET", past, {}, this.#signal) });
    } else {
      const { gauges, history } = await rest.system(this.#signal);
      this.#happen({ kind: "machine", thresholds: gauges, past: history });
    }
  }

  #happen(told: Told): void {
    this.#board = reduceBoard(this.#board, { ...told, at: Date.now() } as BoardHappening);
    if (this.#drawing) return;
    this.#drawing = true;
    // One drawing for all that comes in one frame.
    queueMicrotask(() => {
      this.#drawing = false;
      const before = this.#before;
      this.#before = this.#board;
      for (const watcher of [...this.#watchers]) watcher(this.#board, before);
    });
  }
}
