/** Two hundred pages whose server restarts (F28): the rule of waiting alone, on a clock of our own. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Client } from "../../src/client/client";
import { FakeTransport } from "../../src/client/fake";
import type { Cursor, Listener } from "../../src/client/transport";
import { TIME } from "../builders";

const PAGES = 200;
const SERVER = { baseUrl: new URL("http://localhost/"), token: "" };

let up = true;
const open = new Set<Line>();

/** A way to a server that may be down. */
class Line extends FakeTransport {
  override open(cursor: Cursor | null, listener: Listener): void {
    super.open(cursor, listener);
    setTimeout(() => (up ? this.#greet() : this.end(this.kind === "websocket" ? "refused" : "unreachable")), 20);
  }

  override close(): void {
    super.close();
    open.delete(this);
  }

  #greet(): void {
    if (this.closed) return;
    open.add(this);
    this.tell({ type: "hello", epoch: "store-1", head: 0 });
    const base = { time: TIME, seq: null, priority: "low" } as const;
    if (!this.cursor) this.tell({ type: "snapshot", ...base, head: 0, jobs: [] });
    this.tell({ type: "ping", ...base, nonce: 1, rtt: 0.01 });
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test.each([2, 3])("after %i s without their server all are back in 15 s, and no second has two fifths of them (P20)", (down) => {
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const leaving = new AbortController();
  const clients = Array.from({ length: PAGES }, () => new Client(SERVER, (kind) => new Line(kind), random));
  for (const client of clients) client.subscribe(() => {}, leaving.signal);
  vi.advanceTimersByTime(1_000);
  expect(open.size).toBe(PAGES);

  up = false;
  for (const line of [...open]) line.end("dropped");
  vi.advanceTimersByTime(down * 1000);
  up = true;
  const back: number[] = [];
  for (let second = 0; second < 15; second++) {
    const before = open.size;
    vi.advanceTimersByTime(1_000);
    back.push(open.size - before);
  }
  expect(open.size).toBe(PAGES);
  expect(Math.max(...back)).toBeLessThanOrEqual(0.4 * PAGES);
  expect(clients.map((client) => client.link.phase)).toEqual(clients.map(() => "connected"));
  leaving.abort();
  vi.advanceTimersByTime(10_000);
  expect(open.size).toBe(0);
});
