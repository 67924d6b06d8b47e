/** Parts of the x axis and steps along it: nearer, further, on and back. null is all of it. */

import type { Range } from "./curves";

export interface Row {
  step: number;
  x: number;
}

/** `factor` < 1 goes nearer; what is at `centre` stays where it is. Never beyond `all`, never below `least`. */
export function zoomed(part: Range | null, all: Range, centre: number, factor: number, least: number): Range | null {
  const [low, high] = part ?? all;
  const size = Math.max((high - low) * factor, Math.min(least, high - low));
  if (size >= all[1] - all[0]) return null;
  const share = high > low ? Math.min(Math.max((centre - low) / (high - low), 0), 1) : 0.5;
  return within([centre - share * size, centre + (1 - share) * size], all);
}

/** The part moved until `x` is in it. */
export function along(part: Range, all: Range, x: number): Range {
  const [low, high] = part;
  const by = x < low ? x - low : x > high ? x - high : 0;
  return within([low + by, high + by], all);
}

function within([low, high]: Range, all: Range): Range {
  const by = Math.max(all[0] - low, 0) || Math.min(all[1] - high, 0);
  return [low + by, high + by];
}

/** The steps of a part, and one on either side that is known: lines lead to what is out of sight. */
export function around(rows: readonly Row[], [low, high]: Range): { from: number; to: number } {
  const first = rows.findLastIndex((row) => row.x <= low);
  const last = rows.findIndex((row) => row.x >= high);
  const steps = rows.slice(Math.max(first, 0), last < 0 ? rows.length : last + 1).map((row) => row.step);
  return { from: Math.min(...steps), to: Math.max(...steps) };
}

/** Where a key leads the crosshair: null away, undefined nowhere. */
export function walked(steps: readonly number[], from: number | null, key: string): number | null | undefined {
  const at = from === null ? -1 : steps.indexOf(from);
  switch (key) {
    case "ArrowRight":
      return steps[from === null ? 0 : Math.min(at + 1, steps.length - 1)];
    case "ArrowLeft":
      return steps[from === null ? steps.length - 1 : Math.max(at - 1, 0)];
    case "Home":
      return steps[0];
    case "End":
      return steps.at(-1);
    default:
      return undefined;
  }
}
