/** Events over a websocket. The cookie opens it: no token ever stands in an address. */

import type { Event } from "../protocol";
import type { PageServer } from "./page";
import type { Cursor, Frame, Listener, Message, Transport } from "./transport";

type Sent = Exclude<Message, Frame> | Omit<Frame, "type">;

export class WebsocketTransport implements Transport {
  readonly kind = "websocket";
  readonly #server: PageServer;
  readonly #closing = new AbortController();
  #socket: WebSocket | null = null;
  #greeted = false;

  constructor(server: PageServer) {
    this.#server = server;
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
    document.addEventListener("visibilitychange", () => this.#tellShown(), { signal: this.#closing.signal });
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

  /** A page nobody looks at is spared what only matters to eyes; what it missed comes when it is shown. */
  #tellShown(): void {
    if (!this.#greeted) return;
    this.#socket?.send(JSON.stringify({ type: "shown", shown: document.visibilityState !== "hidden" }));
  }

  #hear(socket: WebSocket, message: Sent, listener: Listener): void {
    if (!("type" in message)) {
      listener.message({ ...message, type: "frame", events: message.events as Event[] });
      return;
    }
    if (message.type === "hello" && !this.#greeted) {
      this.#greeted = true;
      if (document.visibilityState === "hidden") this.#tellShown();
    }
    // At once, here: the timers of hidden tabs sleep, their message handlers do not.
    if (message.type === "ping") socket.send(JSON.stringify({ type: "pong", nonce: message.nonce }));
    listener.message(message);
  }
}
