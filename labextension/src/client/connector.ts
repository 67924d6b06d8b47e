/**
 * Chooses the way to the server and keeps one open: websocket first; after two refused upgrades, or five seconds
 * without a hello, polling; while it polls, a socket is tried beside it each minute and taken when it says hello.
 * Not here: what is heard (client.ts).
 */

import { type Link, MISSED_PING_MS } from "../state/connection";
import { wait } from "./stream";
import type { Cursor, Ending, Kind, Message, OpenTransport, Transport } from "./transport";

export interface Audience {
  cursor(): Cursor | null;
  link(): Link;
  /** Facts of the connection have changed. */
  changed(change: Partial<Link>): void;
  /** A way of this kind said its first hello and is the one that is heard from now on. */
  connected(kind: Kind): void;
  heard(message: Message): void;
}

const HELLO_MS = 5_000;
const UPGRADES_BEFORE_POLLING = 2;
const SOCKET_AGAIN_MS = 60_000;
/** What is shown follows after two seconds more: within forty. */
const SILENCE_MS = 38_000;
const WATCH_MS = 1_000;

/** `auto`: a socket, and polling where there is none. The others are held to. */
export type Way = "auto" | "websocket" | "polling";

type Timer = ReturnType<typeof setTimeout> | undefined;

export class Connector {
  readonly #openTransport: OpenTransport;
  readonly #random: () => number;
  readonly #audience: Audience;
  #active: Transport | null = null;
  /** The socket tried while polling works. */
  #beside: Transport | null = null;
  #connected = false;
  #refused = 0;
  /** Of a clock that nobody sets. */
  #heardAt = 0;
  #watchedAt = 0;
  /** A server elsewhere is reached by one way alone. */
  readonly #only: "relay" | null;
  #way: Way = "auto";
  #hello: Timer;
  #next: Timer;

  constructor(openTransport: OpenTransport, random: () => number, only: "relay" | null, audience: Audience) {
    this.#openTransport = openTransport;
    this.#random = random;
    this.#only = only;
    this.#audience = audience;
  }

  /** Connects and stays so, until `signal` says stop. */
  start(signal: AbortSignal): void {
    window.addEventListener("online", () => this.#hurry(), { signal });
    window.addEventListener("offline", () => this.#audience.changed({ offlineSince: Date.now() }), { signal });
    document.addEventListener("visibilitychange", () => this.#shown(), { signal });
    this.#watchedAt = Date.now();
    const watch = setInterval(() => this.#watch(), WATCH_MS);
    signal.addEventListener("abort", () => {
      clearInterval(watch);
      this.#close();
    });
    this.#audience.changed({ offlineSince: navigator.onLine ? null : Date.now() });
    this.#refused = 0;
    this.#connect();
  }

  /** Try now, whatever was planned. */
  reconnect(): void {
    this.#close();
    this.#refused = 0;
    this.#connect();
  }

  /** Leave what is open and resume from the cursor, after the usual wait. */
  resume(why: string): void {
    this.#close();
    this.#retryLater(why);
  }

  use(way: Way): void {
    this.#way = way;
  }

  #close(): void {
    clearTimeout(this.#hello);
    clearTimeout(this.#next);
    this.#active?.close();
    this.#beside?.close();
    this.#active = this.#beside = null;
    this.#connected = false;
  }

  #connect(): void {
    clearTimeout(this.#next);
    this.#audience.changed({ phase: "connecting", retryAt: null });
    const way = this.#only ?? (this.#way === "polling" ? "polling" : null);
    if (way) {
      this.#take(way);
      return;
    }
    const socket = this.#openTransport("websocket");
    this.#active = socket;
    this.#hello = setTimeout(() => {
      socket.close();
      this.#refused = UPGRADES_BEFORE_POLLING;
      this.#ended(socket, "refused", "no hello");
    }, HELLO_MS);
    this.#open(socket);
  }

  #take(kind: Kind): void {
    this.#active = this.#openTransport(kind);
    this.#open(this.#active);
  }

  #open(transport: Transport): void {
    transport.open(this.#audience.cursor(), {
      message: (message) => this.#hear(transport, message),
      ended: (ending, detail) => this.#ended(transport, ending, detail),
    });
  }

  #hear(transport: Transport, message: Message): void {
    if (transport === this.#beside && message.type === "hello") {
      this.#active?.close();
      this.#active = transport;
      this.#beside = null;
      this.#connected = false;
    }
    if (transport !== this.#active) return;
    this.#heardAt = performance.now();
    if (message.type === "hello" && !this.#connected) {
      this.#connected = true;
      clearTimeout(this.#hello);
      clearTimeout(this.#next);
      if (transport.kind === "websocket") this.#refused = 0;
      else this.#planSocketBeside();
      this.#audience.connected(transport.kind);
    }
    this.#audience.heard(message);
  }

  #ended(transport: Transport, ending: Ending, detail: string): void {
    clearTimeout(this.#hello);
    if (transport === this.#beside) {
      this.#beside = null;
      this.#planSocketBeside();
      return;
    }
    this.#close();
    if (ending === "forbidden") {
      this.#audience.changed({ phase: "forbidden", transport: null, detail });
      return;
    }
    if (ending === "refused") this.#refused += 1;
    // Only asking tells why a socket is refused: a proxy, a server that is gone, or somebody signed out.
    const wanted = this.#way !== "websocket";
    if (ending === "refused" && this.#refused >= UPGRADES_BEFORE_POLLING && wanted) this.#take("polling");
    else this.#retryLater(detail);
  }

  #retryLater(detail: string): void {
    const { attempt: failed, downSince } = this.#audience.link();
    const attempt = failed + 1;
    const ms = wait(attempt, this.#random) * 1000;
    clearTimeout(this.#next);
    this.#next = setTimeout(() => this.#connect(), ms);
    const now = Date.now();
    this.#audience.changed({
      phase: "waiting",
      transport: this.#only === "relay" ? "relay" : null,
      attempt,
      retryAt: now + ms,
      downSince: downSince ?? now,
      detail,
    });
  }

  #planSocketBeside(): void {
    clearTimeout(this.#next);
    if (!this.#only && this.#way === "auto") this.#next = setTimeout(() => this.#trySocketBeside(), SOCKET_AGAIN_MS);
  }

  #trySocketBeside(): void {
    clearTimeout(this.#next);
    if (this.#beside || this.#only || this.#way !== "auto") return;
    const socket = this.#openTransport("websocket");
    this.#beside = socket;
    this.#hello = setTimeout(() => {
      socket.close();
      this.#ended(socket, "refused", "no hello");
    }, HELLO_MS);
    this.#open(socket);
  }

  /** The network is there (again): no waiting. */
  #hurry(): void {
    this.#audience.changed({ offlineSince: null });
    if (this.#audience.link().phase === "waiting") this.#connect();
    else if (this.#connected && this.#active?.kind === "polling") this.#trySocketBeside();
  }

  #shown(): void {
    if (document.visibilityState !== "visible") return;
    this.#awake();
  }

  #watch(): void {
    const now = Date.now();
    const asleep = now - this.#watchedAt > 2 * WATCH_MS;
    this.#watchedAt = now;
    if (asleep) this.#awake();
    else if (this.#onSocket && performance.now() - this.#heardAt > SILENCE_MS - WATCH_MS) {
      this.resume("nothing heard for 38 s");
    }
  }

  /** This machine slept, or the page did: what was planned is late, and a socket may have died unnoticed. */
  #awake(): void {
    const { phase, heardAt } = this.#audience.link();
    const unheard = Date.now() - (heardAt ?? 0) > MISSED_PING_MS;
    if (phase === "waiting" || (this.#onSocket && unheard)) this.reconnect();
  }

  get #onSocket(): boolean {
    return this.#connected && this.#active?.kind === "websocket";
  }
}
