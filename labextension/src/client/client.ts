/**
 * The page's one client: resumes where it stopped and hands every event on once, in order. Not here: what events
 * mean (state), and by which way they come (connector.ts).
 */

import type { Event, Snapshot } from "../protocol";
import { type Link, NO_LINK } from "../state/connection";
import { Connector, type Way } from "./connector";
import { type PageServer, pageServer } from "./page";
import { PollingTransport } from "./polling";
import { Rest } from "./rest";
import { take } from "./stream";
import type { Cursor, Frame, Greeting, Kind, Message, OpenTransport } from "./transport";
import { WebsocketTransport } from "./websocket";

export type Delivery =
  /** `hole`: events were merged on the way; what they held is to be asked for. */
  | { kind: "events"; events: Event[]; hole: boolean }
  /** Of each kind the newest there is; what was before is of no use. */
  | { kind: "latest"; events: Event[] }
  | { kind: "snapshot"; snapshot: Snapshot }
  /** What is known is of another store: drop it. */
  | { kind: "reset" }
  | { kind: "link"; link: Link };

export type Subscriber = (delivery: Delivery) => void;

/** A server that the page itself cannot reach. */
export interface Elsewhere {
  rest: Rest;
  name: string;
}

/** Notebooks re-render: a page without a view for a moment keeps its connection. */
const IDLE_MS = 5_000;
const TRIPS_MS = 300_000;

export class Client {
  readonly rest: Rest;
  readonly #connector: Connector;
  readonly #subscribers = new Set<Subscriber>();
  #link: Link;
  #cursor: Cursor | null = null;
  #epoch = "";
  #replayUntil = 0;
  #running: AbortController | null = null;
  #idle: ReturnType<typeof setTimeout> | undefined;

  /** The page's own server, or one that is `elsewhere`: then `openTransport` is the one way to it. */
  constructor(server: PageServer | Elsewhere, openTransport?: OpenTransport, random: () => number = Math.random) {
    const elsewhere = "rest" in server;
    const rest = elsewhere ? server.rest : new Rest(server);
    const open: OpenTransport = (kind) =>
      kind === "websocket" && !elsewhere ? new WebsocketTransport(server) : new PollingTransport(rest);
    this.rest = rest;
    this.#link = { ...NO_LINK, server: elsewhere ? server.name : server.baseUrl.href };
    this.#connector = new Connector(openTransport ?? open, random, elsewhere ? "relay" : null, {
      cursor: () => this.#cursor,
      link: () => this.#link,
      changed: (change) => this.#tellLink(change),
      connected: (kind) => this.#connected(kind),
      heard: (message) => this.#heard(message),
    });
  }

  get link(): Link {
    return this.#link;
  }

  get cursor(): Cursor | null {
    return this.#cursor;
  }

  /** The first subscriber connects; some seconds after the last has left, the connection is closed. */
  subscribe(subscriber: Subscriber, signal: AbortSignal): void {
    if (signal.aborted) return;
    clearTimeout(this.#idle);
    this.#subscribers.add(subscriber);
    signal.addEventListener("abort", () => {
      this.#subscribers.delete(subscriber);
      if (this.#subscribers.size === 0) this.#idle = setTimeout(() => this.#stop(), IDLE_MS);
    });
    subscriber({ kind: "link", link: this.#link });
    if (this.#running) return;
    this.#running = new AbortController();
    this.#connector.start(this.#running.signal);
  }

  /** Try now, whatever was planned; a connection that works is opened anew. */
  reconnect(): void {
    if (this.#running) this.#connector.reconnect();
  }

  /** Go this way from now on; `auto` takes websockets up again. */
  use(way: Way): void {
    this.#connector.use(way);
    this.reconnect();
  }

  #stop(): void {
    this.#running?.abort();
    this.#running = null;
    this.#cursor = null;
    this.#link = { ...NO_LINK, server: this.#link.server };
  }

  #connected(kind: Kind): void {
    const now = Date.now();
    this.#tellLink({
      phase: "connected",
      transport: kind,
      // A socket that says hello and falls at once must not be tried ever faster: events and pings reset it.
      ...(kind !== "websocket" && { attempt: 0 }),
      retryAt: null,
      downSince: null,
      heardAt: now,
      pingAt: now,
      rtt: null,
      offlineSince: null,
      detail: "",
    });
    this.#replayUntil = -1;
  }

  #heard(message: Message): void {
    const now = Date.now();
    switch (message.type) {
      case "hello":
        this.#greet(message, now);
        return;
      case "reset":
        this.#cursor = null;
        this.#epoch = message.epoch;
        this.#tell({ kind: "reset" });
        return;
      case "snapshot":
        this.#cursor = { since: message.head, epoch: this.#epoch };
        this.#tell({ kind: "snapshot", snapshot: message });
        this.#tellLink({ heardAt: now, behind: false });
        return;
      case "ping": {
        const kept = this.#link.rtts.filter((trip) => now - trip.at < TRIPS_MS);
        this.#tellLink({
          heardAt: now,
          pingAt: now,
          ...(message.rtt !== null && {
            attempt: 0,
            rtt: message.rtt,
            rtts: [...kept, { at: now, seconds: message.rtt }],
          }),
        });
        return;
      }
      case "latest":
        this.#tell({ kind: "latest", events: message.events });
        this.#tellLink({ heardAt: now });
        return;
      case "frame":
        this.#take(message, now);
    }
  }

  /** Polling greets with each answer; a socket once, and when a hidden page is shown: what it missed follows. */
  #greet({ epoch, head, version, server_time }: Greeting, now: number): void {
    this.#epoch = epoch;
    if (this.#replayUntil < 0 || this.#link.transport === "websocket") {
      this.#replayUntil = this.#cursor?.epoch === epoch ? head : 0;
    }
    this.#tellLink({
      heardAt: now,
      behind: this.#replayUntil > (this.#cursor?.since ?? head),
      ...(version && { version }),
      ...(server_time && { skew: Date.parse(server_time) - now }),
    });
  }

  #take(frame: Frame, now: number): void {
    if (!this.#cursor) return;
    const taken = take(this.#cursor, frame);
    if (!taken) {
      this.#connector.resume("events missing on the way");
      return;
    }
    this.#cursor = taken.cursor;
    const { events, skipped } = taken;
    const { replayed, missed, behind } = this.#link;
    if (events.length > 0) this.#tell({ kind: "events", events, hole: skipped > 0 });
    this.#tellLink({
      heardAt: now,
      behind: this.#replayUntil > taken.cursor.since,
      replayed: replayed + (behind ? events.length : 0),
      missed: missed + skipped,
      ...(events.length > 0 && { eventAt: now, attempt: 0 }),
    });
  }

  #tell(delivery: Delivery): void {
    for (const subscriber of [...this.#subscribers]) subscriber(delivery);
  }

  #tellLink(change: Partial<Link>): void {
    this.#link = { ...this.#link, ...change };
    this.#tell({ kind: "link", link: this.#link });
  }
}

const PAGE_CLIENT = Symbol.for("mlops_jupyter.client.v1");

/** The client all bundles of this page share; null where the page came from no Jupyter server. */
export function pageClient(): Client | null {
  const page = globalThis as { [PAGE_CLIENT]?: Client };
  const server = pageServer();
  if (!page[PAGE_CLIENT] && server) page[PAGE_CLIENT] = new Client(server);
  return page[PAGE_CLIENT] ?? null;
}
