import { expect, test, vi } from "vitest";
import { Client } from "../../src/client/client";
import { anEvent } from "../builders";
import { EventServer } from "./event_server";

test("sockets killed at random, mixed with polling, give each event once and in order", async () => {
  const server = new EventServer();
  const address = await server.start();
  window.happyDOM?.setURL(address.baseUrl.href);
  const leaving = new AbortController();
  const sequence: (number | null)[] = [];
  // Short waits: this test is about order, not about time.
  const client = new Client(address, undefined, () => 0.01);
  client.subscribe((delivery) => {
    if (delivery.kind === "events") sequence.push(...delivery.events.map((event) => event.seq));
  }, leaving.signal);
  await vi.waitFor(() => expect(client.cursor).not.toBeNull());

  let seed = 7;
  const chance = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const total = 1_000;
  for (let seq = 1; seq <= total; seq++) {
    server.add(anEvent(seq));
    if (chance() < 0.03) server.dropSockets();
    if (chance() < 0.01) server.onUpgrade = server.onUpgrade === "accept" ? "403 Forbidden" : "accept";
    if (chance() < 0.02) client.use(chance() < 0.5 ? "polling" : "auto");
    if (chance() < 0.1) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  server.onUpgrade = "accept";
  client.use("auto");
  await vi.waitFor(() => expect(sequence).toHaveLength(total), 5_000);
  expect(sequence).toEqual(Array.from({ length: total }, (_, i) => i + 1));
  vi.useFakeTimers();
  leaving.abort();
  vi.advanceTimersByTime(5_000);
  vi.useRealTimers();
  await server.stop();
});
