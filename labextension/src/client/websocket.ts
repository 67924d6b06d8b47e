/** Events over a websocket. The cookie opens it: no token ever stands in an address. */

import type { Event } from "../protocol";
import type { PageServer } from "./page";
import { isForbidden, Rest } from "./rest";
import type { Cursor, Frame, Latest, Listener, Message, Transport } from "./transport";

type Sent = Exclude<Message, Frame | Latest> | Omit<Frame, "type"> | { latest: Record<string, Event>; rev: number };

/** Who opened a socket was asked once; that they are signed out meanwhile, only another question tells. */
const ASK_MS = 60_000;

export class WebsocketTransport implements Transport {
  readonly kind = "websocket";
  readonly #server: PageServer;
  readonly #rest: Rest;
  readonly #closing = new AbortController();
  #socket: WebSocket | null = null;
  #greeted = false;
  #cursor: Cursor | null = null;

  constructor(server: PageServer) {
    this.#server = server;
    this.#rest = new Rest(server);
  }

  open(cursor: Cursor | null, listener: Listener): void {
    const url = new URL("mlops/api/events/subscribe", this.#server.baseUrl);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    if (cursor) {
      url.searchParams.set("since", String(cursor.since));
      url.searchParams.set("epoch", cursor.epoch);
    }
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#cursor = cursor;
    const ask = () => void this.#ask(listener);
    const { signal } = this.#closing;
    document.addEventListener("visibilitychange", () => this.#tellShown(), { signal });
    document.addEventListener("visibilitychange", ask, { signal });
    const asking = setInterval(ask, ASK_MS);
    signal.addEventListener("abort", () => clearInterval(asking));
    socket.onmessage = (message) => {
      if (this.#socket === socket) this.#hear(socket, JSON.parse(String(message.data)) as Sent, listener);
    };
    // Browsers say nothing about a refused upgrade: its status is known by polling only.
    socket.onclose = (event) => {
      if (this.#socket !== socket) return;
      this.close();
      listener.ended(this.#greeted ? "dropped" : "refused", event.reason || `websocket closed (${event.code})`);
    };
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#closing.abort();
    socket?.close();
  }

  /** What polling would ask. Pages nobody looks at do so when they are shown. */
  async #ask(listener: Listener): Promise<void> {
    if (!this.#greeted || document.visibilityState === "hidden") return;
    const { signal } = this.#closing;
    try {
      await this.#rest.events(this.#cursor, undefined, signal);
    } catch (error) {
      // Whether the server is still there, the socket itself tells.
      if (signal.aborted || !isForbidden(error)) return;
      this.close();
      listener.ended("forbidden", error instanceof Error ? error.message : String(error));
    }
  }

  /** A page nobody looks at is spared what only matters to eyes; what it missed comes when it is shown. */
  #tellShown(): void {
    if (!this.#greeted) return;
    this.#socket?.send(JSON.stringify({ type: "shown", shown: document.visibilityState !== "hidden" }));
  }

  #hear(socket: WebSocket, message: Sent, listener: Listener): void {
    if ("latest" in message) {
      listener.message({ type: "latest", events: Object.values(message.latest) });
      return;
    }
    if (!("type" in message)) {
      const since = message.events.at(-1)?.seq ?? message.prev;
      if (this.#cursor) this.#cursor = { ...this.#cursor, since };
      listener.message({ ...message, type: "frame", events: message.events as Event[] });
      return;
    }
    if (message.type === "hello") this.#cursor = { since: this.#cursor?.since ?? message.head, epoch: message.epoch };
    if (message.type === "snapshot" && this.#cursor) this.#cursor = { ...this.#cursor, since: message.head };
    if (message.type === "hello" && !this.#greeted) {
      this.#greeted = true;
      if (document.visibilityState === "hidden") this.#tellShown();
    }
    // At once, here: the timers of hidden tabs sleep, their message handlers do not.
    if (message.type === "ping") socket.send(JSON.stringify({ type: "pong", nonce: message.nonce }));
    listener.message(message);
  }
}
