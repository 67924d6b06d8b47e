/** Proxies that will have no websockets (F23): polling instead, the socket when it may be, each event once. */

import { expect, test, vi } from "vitest";
import { Client } from "../../src/client/client";
import { anEvent } from "../builders";
import { EventServer, type Upgrade } from "./event_server";

const REFUSALS: Upgrade[] = ["400 Bad Request", "403 Forbidden", "502 Bad Gateway", "silence", "swallow"];

class Page {
  sequence: (number | null)[] = [];
  leaving = new AbortController();
  client: Client;
  pollingAfter: number | null = null;

  constructor(address: ConstructorParameters<typeof Client>[0]) {
    const began = performance.now();
    this.client = new Client(address);
    this.client.subscribe((delivery) => {
      if (delivery.kind === "events") this.sequence.push(...delivery.events.map((event) => event.seq));
      if (this.client?.link.transport === "polling") this.pollingAfter ??= performance.now() - began;
    }, this.leaving.signal);
  }
}

test("whatever a proxy does to an upgrade, polling begins within ten seconds, and the socket later (P19)", async () => {
  const servers = REFUSALS.map((refusal) => Object.assign(new EventServer(), { onUpgrade: refusal }));
  const addresses = await Promise.all(servers.map((server) => server.start()));
  // Answers come from other origins than the page's.
  const settings = window.happyDOM?.settings.fetch ?? { disableSameOriginPolicy: false };
  settings.disableSameOriginPolicy = true;
  const pages = addresses.map((address) => new Page(address));
  await vi.waitFor(() => expect(pages.map((page) => page.client.cursor)).not.toContain(null), 12_000);
  expect(pages.map((page) => (page.pollingAfter ?? Number.POSITIVE_INFINITY) < 10_000)).toEqual(REFUSALS.map(() => true));

  let seq = 0;
  const flow = setInterval(() => {
    seq += 1;
    for (const server of servers) server.add(anEvent(seq));
  }, 5);
  await vi.waitFor(() => expect(pages.every((page) => page.sequence.length > 0)).toBe(true), 5_000);
  for (const server of servers) server.onUpgrade = "accept";
  window.dispatchEvent(new window.Event("online"));
  await vi.waitFor(() => {
    expect(pages.map((page) => page.client.link.transport)).toEqual(REFUSALS.map(() => "websocket"));
  }, 5_000);
  clearInterval(flow);
  const all = Array.from({ length: seq }, (_, i) => i + 1);
  await vi.waitFor(() => expect(pages.map((page) => page.sequence)).toEqual(REFUSALS.map(() => all)), 5_000);

  vi.useFakeTimers();
  for (const page of pages) page.leaving.abort();
  vi.advanceTimersByTime(5_000);
  vi.useRealTimers();
  settings.disableSameOriginPolicy = false;
  await Promise.all(servers.map((server) => server.stop()));
}, 30_000);
