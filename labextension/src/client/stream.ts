/** What a frame adds to what a client has: each event once, in order. Not here: how frames arrive. */

import type { Event } from "../protocol";
import type { Cursor, Frame } from "./transport";

export interface Taken {
  cursor: Cursor;
  events: Event[];
  /** How many sequence numbers were passed over: events merged for a slow client. What they held is to be asked for. */
  skipped: number;
}

/** Null when something before this frame is missing: the stream must be resumed from the cursor. */
export function take(cursor: Cursor, frame: Frame): Taken | null {
  if (frame.events.length > 0 && frame.prev > cursor.since) return null;
  const events: Event[] = [];
  let since = cursor.since;
  let skipped = 0;
  for (const event of frame.events) {
    if (event.seq === null || event.seq <= since) continue;
    skipped += event.seq - since - 1;
    since = event.seq;
    events.push(event);
  }
  return { cursor: { since, epoch: cursor.epoch }, events, skipped };
}

/**
 * Seconds to wait before try `n` (from 1). A server that comes back after two seconds or more meets no more than two
 * fifths of its clients in one second, and all of them within fifteen: doubling is too slow for that, thirty too long.
 */
export function wait(n: number, random: () => number): number {
  return random() * Math.min(12, 0.5 * 3 ** n);
}
