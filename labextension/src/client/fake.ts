/**
 * A transport without a server: what is told to it is what the client hears. For tests and for pages that show
 * recorded events; it keeps the contract of the real ones.
 */

import type { Cursor, Ending, Kind, Listener, Message, Transport } from "./transport";

export class FakeTransport implements Transport {
  readonly kind: Kind;
  cursor: Cursor | null = null;
  closed = false;
  #listener: Listener | null = null;

  constructor(kind: Kind = "websocket") {
    this.kind = kind;
  }

  open(cursor: Cursor | null, listener: Listener): void {
    this.cursor = cursor;
    this.#listener = listener;
  }

  close(): void {
    this.closed = true;
    this.#listener = null;
  }

  tell(...messages: Message[]): void {
    for (const message of messages) this.#listener?.message(message);
  }

  end(ending: Ending, detail = ""): void {
    const listener = this.#listener;
    this.close();
    listener?.ended(ending, detail);
  }
}
