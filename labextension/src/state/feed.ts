/** The rows of the feed as they are shown: one that comes again and again is one row. Not here: what the feed holds. */

import type { ActivityUpdate } from "../protocol";

export interface Entry {
  /** Of those that say the same, the newest. */
  newest: ActivityUpdate;
  times: number;
  /** When it was said first, RFC 3339. */
  since: string;
}

/** `rows`, the newest first; neighbours of one kind, title and subject are one. */
export function collapsed(rows: readonly ActivityUpdate[]): Entry[] {
  const entries: Entry[] = [];
  for (const row of rows) {
    const last = entries.at(-1);
    if (last && isSame(last.newest, row)) {
      last.times++;
      last.since = row.activity.timestamp;
    } else {
      entries.push({ newest: row, times: 1, since: row.activity.timestamp });
    }
  }
  return entries;
}

function isSame({ activity: one }: ActivityUpdate, { activity: other }: ActivityUpdate): boolean {
  return one.kind === other.kind && one.title === other.title && one.subject === other.subject;
}
