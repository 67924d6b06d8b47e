/** A small server of docs/API.md's two ways to events, with the troubles a real network has on request. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { PageServer } from "../../src/client/page";
import type { Event } from "../../src/protocol";
import { TIME } from "../builders";

/** What becomes of an upgrade: accepted, refused with a status, left without an answer, or swallowed after a 101. */
export type Upgrade = "accept" | "silence" | "swallow" | "400 Bad Request" | "403 Forbidden" | "502 Bad Gateway";

export class EventServer {
  epoch = "store-1";
  events: Event[] = [];
  onUpgrade: Upgrade = "accept";
  /** Status of every answer to a poll while it is not 0. */
  refusePolls = 0;
  polls = 0;
  pongs: unknown[] = [];
  asked: string[] = [];
  #http = createServer((request, response) => this.#answer(request, response));
  #upgrades = new WebSocketServer({ noServer: true });
  #sockets = new Map<WebSocket, number>();
  #latest: { rev: number; latest: Record<string, Event> } = { rev: 0, latest: {} };
  #held = new Set<Duplex>();

  async start(): Promise<PageServer> {
    this.#http.on("upgrade", (request, socket, head) => {
      this.asked.push(request.url ?? "");
      this.#held.add(socket);
      socket.on("close", () => this.#held.delete(socket));
      socket.on("error", () => socket.destroy());
      if (this.onUpgrade === "accept") {
        this.#upgrades.handleUpgrade(request, socket, head, (upgraded) => this.#greet(upgraded, request));
      } else if (this.onUpgrade === "swallow") {
        this.#upgrades.handleUpgrade(request, socket, head, () => {});
      } else if (this.onUpgrade !== "silence") {
        socket.end(`HTTP/1.1 ${this.onUpgrade}\r\nConnection: close\r\n\r\n`);
      }
    });
    await new Promise<void>((resolve) => this.#http.listen(0, "127.0.0.1", resolve));
    const { port } = this.#http.address() as AddressInfo;
    return { baseUrl: new URL(`http://127.0.0.1:${port}/user/x%20y/`), token: "" };
  }

  async stop(): Promise<void> {
    this.dropSockets();
    for (const socket of this.#held) socket.destroy();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  get head(): number {
    return this.events.at(-1)?.seq ?? 0;
  }

  get sockets(): number {
    return this.#sockets.size;
  }

  add(...events: Event[]): void {
    this.events.push(...events);
    for (const [socket, cursor] of this.#sockets) this.#send(socket, cursor);
  }

  /** The newest of its kind, which is in no store. */
  tell(event: Event): void {
    this.#latest = { rev: this.#latest.rev + 1, latest: { [event.type]: event } };
    for (const socket of this.#sockets.keys()) socket.send(JSON.stringify(this.#latest));
  }

  dropSockets(): void {
    for (const socket of this.#sockets.keys()) socket.terminate();
    this.#sockets.clear();
  }

  #after(cursor: number, limit: number): Event[] {
    return this.events.filter((event) => (event.seq ?? 0) > cursor).slice(0, limit);
  }

  #cursor(request: IncomingMessage): { since: number | null; reset: object | null } {
    const query = new URL(request.url ?? "", "http://server").searchParams;
    const since = query.get("since");
    if (since === null) return { since: null, reset: null };
    if (query.get("epoch") === this.epoch && Number(since) <= this.head) return { since: Number(since), reset: null };
    const reset = { type: "reset", time: TIME, seq: null, priority: "low", epoch: this.epoch, why: "replaced" };
    return { since: null, reset };
  }

  #snapshot(): object {
    return { type: "snapshot", time: TIME, seq: null, priority: "low", head: this.head, jobs: [] };
  }

  #greet(socket: WebSocket, request: IncomingMessage): void {
    const { since, reset } = this.#cursor(request);
    const say = (message: object) => socket.send(JSON.stringify(message));
    socket.on("message", (message) => this.pongs.push(JSON.parse(String(message))));
    socket.on("close", () => this.#sockets.delete(socket));
    say({ type: "hello", epoch: this.epoch, head: this.head, server_time: TIME, heartbeat: 15, version: "0.1.0" });
    say({ type: "ping", time: TIME, seq: null, priority: "low", nonce: 1, rtt: null });
    if (reset) say(reset);
    if (since === null) say(this.#snapshot());
    this.#sockets.set(socket, since ?? this.head);
    if (this.#latest.rev > 0) say(this.#latest);
    this.#send(socket, since ?? this.head);
  }

  #send(socket: WebSocket, cursor: number): void {
    for (let prev = cursor; ; ) {
      const events = this.#after(prev, 64);
      const last = events.at(-1)?.seq;
      if (last == null) return;
      socket.send(JSON.stringify({ events, prev }));
      this.#sockets.set(socket, last);
      prev = last;
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.polls += 1;
    this.asked.push(request.url ?? "");
    if (this.refusePolls) {
      response.writeHead(this.refusePolls, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ message: "refused", reason: null, problems: [] }));
      return;
    }
    const { since, reset } = this.#cursor(request);
    const events = since === null ? [] : this.#after(since, 1000);
    const answer = {
      epoch: this.epoch,
      head: this.head,
      prev: since ?? this.head,
      events,
      snapshot: since === null ? this.#snapshot() : null,
      reset,
      rev: this.#latest.rev,
      latest: Number(new URL(request.url ?? "", "http://server").searchParams.get("rev")) < this.#latest.rev ? this.#latest.latest : {},
    };
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(JSON.stringify(answer));
  }
}
