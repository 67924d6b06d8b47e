/**
 * A way to the server's events. Every transport tells the same messages in the same order, so that
 * the client above does not know which one it listens to. Not here: which transport is chosen, and
 * what a cursor is worth (client.ts).
 */

import type { Event, Hello, Ping, Reset, Snapshot } from "../protocol";

/** Where a stream is resumed: after `since`, in the store named `epoch`. */
export interface Cursor {
  since: number;
  epoch: string;
}

/** Events beyond `prev`, which is the last sequence number this stream carried before. */
export interface Frame {
  type: "frame";
  events: Event[];
  prev: number;
  /** How many events between `prev` and the last one were left out: merged for a slow client, or nobody looked. */
  skipped?: number;
}

/** Events of which only the newest of a kind matters; they are in no store and have no `seq`. */
export interface Latest {
  type: "latest";
  events: Event[];
}

/** First word of a stream, and of each answer to a poll: the store and its newest sequence number. */
export type Greeting = Pick<Hello, "type" | "epoch" | "head"> & Partial<Pick<Hello, "version" | "server_time">>;

export type Message = Greeting | Snapshot | Reset | Ping | Frame | Latest;

/**
 * Why a transport ended: `refused` (no hello came), `dropped` (after a hello), `forbidden` (401, 403: asking again
 * is no use), `unreachable` (no answer, or one that is not ours).
 */
export type Ending = "refused" | "dropped" | "forbidden" | "unreachable";

export interface Listener {
  message(message: Message): void;
  /** Called once, never after `close()`. */
  ended(ending: Ending, detail: string): void;
}

export type Kind = "websocket" | "polling" | "relay";

/** One use of a way: opened once, closed once. */
export interface Transport {
  readonly kind: Kind;
  open(cursor: Cursor | null, listener: Listener): void;
  /** Idempotent; the listener hears nothing any more. */
  close(): void;
}

export type OpenTransport = (kind: Kind) => Transport;
