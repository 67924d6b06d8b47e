/** The same events by asking again and again: for proxies that refuse websockets. */

import { preferences } from "../state/preferences";
import type { Rest } from "./rest";
import { type EventsAnswer, isForbidden } from "./rest";
import type { Cursor, Listener, Transport } from "./transport";

const HIDDEN_POLL_SECONDS = 10;

export class PollingTransport implements Transport {
  readonly kind = "polling";
  readonly #rest: Rest;
  readonly #closing = new AbortController();
  #cursor: Cursor | null = null;
  /** What this page has seen of events of which only the newest matters. */
  #rev = 0;
  #wake: (() => void) | null = null;

  constructor(rest: Rest) {
    this.#rest = rest;
  }

  open(cursor: Cursor | null, listener: Listener): void {
    this.#cursor = cursor;
    document.addEventListener("visibilitychange", () => this.#shown(), { signal: this.#closing.signal });
    void this.#poll(listener);
  }

  close(): void {
    this.#closing.abort();
    this.#wake?.();
  }

  #shown(): void {
    if (document.visibilityState === "visible") this.#wake?.();
  }

  async #poll(listener: Listener): Promise<void> {
    const signal = this.#closing.signal;
    while (!signal.aborted) {
      let answer: EventsAnswer;
      try {
        answer = await this.#rest.events(this.#cursor, this.#rev, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.close();
        listener.ended(isForbidden(error) ? "forbidden" : "unreachable", error instanceof Error ? error.message : String(error));
        return;
      }
      if (signal.aborted) return;
      this.#tell(answer, listener);
      const complete = (this.#cursor?.since ?? answer.head) >= answer.head;
      if (complete || answer.events.length === 0) await this.#pause();
    }
  }

  #tell(answer: EventsAnswer, listener: Listener): void {
    const { epoch, head, prev, events } = answer;
    listener.message({ type: "hello", epoch, head });
    if (answer.reset) listener.message(answer.reset);
    if (answer.snapshot) {
      listener.message(answer.snapshot);
      this.#cursor = { since: answer.snapshot.head, epoch };
    } else {
      const last = events.at(-1)?.seq ?? prev;
      this.#cursor = { since: last, epoch };
    }
    listener.message({ type: "frame", events, prev });
    // A server that was restarted counts anew.
    this.#rev = answer.rev;
    const latest = Object.values(answer.latest);
    if (latest.length > 0) listener.message({ type: "latest", events: latest });
  }

  #pause(): Promise<void> {
    const { pollSeconds } = preferences;
    const seconds = document.visibilityState === "hidden" ? Math.max(HIDDEN_POLL_SECONDS, pollSeconds) : pollSeconds;
    return new Promise((resolve) => {
      const timer = setTimeout(done, seconds * 1000);
      this.#wake = done;
      function done(): void {
        clearTimeout(timer);
        resolve();
      }
    });
  }
}
