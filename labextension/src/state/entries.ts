/** Anything but a job as a row of the panel, and which rows a filter leaves. */

import type { Mark } from "./face";

export interface Entry {
  id: string;
  mark: Mark | "table" | "live";
  /** The state as a word, for those who do not see the mark. */
  word: string;
  name: string;
  figures: string;
  note: string;
}

/** Those whose text holds all words of `filter`. */
export function matching<One>(all: readonly One[], filter: string, text: (one: One) => string): One[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter((one) => {
    const said = text(one).toLowerCase();
    return words.every((word) => said.includes(word));
  });
}
