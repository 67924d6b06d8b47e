/** A kernel's side of a relay, as mlops_jupyter/notebook/relay.py keeps it: the model of a widget that it sends to. */

import type { AnyModel } from "@anywidget/types";
import type { Relayed } from "../../src/client/relay";
import type { Event } from "../../src/protocol";
import { TIME } from "../builders";

export class Kernel {
  epoch = "store-1";
  opened = 0;
  events: Event[] = [];
  latest: Record<string, Event> = {};
  rev = 0;
  trouble: string | null = null;
  over = false;
  answers: Record<string, unknown> = {};
  /** What the page asked while nobody heard it, or what nobody has answered yet. */
  asked: { ask: string; method: string; path: string; key?: string }[] = [];
  #traits: Record<string, DataView> = {};
  #calls = new Map<string, Set<(...told: never[]) => void>>();

  get model(): AnyModel<Relayed> {
    return {
      get: (name: string) => this.#traits[name],
      on: (name: string, call: () => void) => this.#of(name).add(call),
      off: (name: string, call: () => void) => this.#of(name).delete(call),
      send: (content: Kernel["asked"][number]) => this.asked.push(content),
    } as unknown as AnyModel<Relayed>;
  }

  get head(): number {
    return this.events.at(-1)?.seq ?? 0;
  }

  /** A new opening, as of the newest event. */
  open(): void {
    this.opened = this.head;
    const { epoch, answers } = this;
    this.#traits["opening"] = bytes({ epoch, head: this.opened, version: "1", server: "Private server, process 7", answers });
    this.send();
  }

  send(): void {
    const { epoch, head, latest, rev, over, trouble } = this;
    const events = this.events.filter(({ seq }) => (seq ?? 0) > this.opened);
    this.#traits["batch"] = bytes({ epoch, prev: this.opened, head, events, latest, rev, over, trouble, time: TIME });
    for (const call of this.#of("change:batch")) call();
  }

  answer(body: unknown, status = 200): void {
    const { ask } = this.asked.shift() as { ask: string };
    for (const call of this.#of("msg:custom") as Set<(...told: unknown[]) => void>) call({ answer: ask, status }, [bytes(body)]);
  }

  #of(name: string): Set<(...told: never[]) => void> {
    const calls = this.#calls.get(name) ?? new Set();
    this.#calls.set(name, calls);
    return calls;
  }
}

function bytes(said: unknown): DataView {
  return new DataView(new TextEncoder().encode(JSON.stringify(said)).buffer);
}
