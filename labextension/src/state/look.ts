/** How the curves of a card are looked at: what was chosen on it, else what the user prefers. Not here: what is drawn. */

import { preferences } from "./preferences";

export interface Look {
  /** Weight of the past, 0 (none) to 0.99. */
  smoothing: number;
  /** Steps of the fit, or seconds since the job began. */
  xAxis: "step" | "time";
  log: boolean;
  /** The y axis leaves out the lowest and the highest hundredth of the points. */
  fit: boolean;
}

export const MOST_SMOOTHING = 0.99;

export function lookOf(chosen: Partial<Look>): Look {
  const { smoothing, xAxis } = preferences;
  return { smoothing, xAxis, log: false, fit: false, ...chosen };
}

/** What somebody else wrote down, read with care. */
export function lookIn(data: unknown): Partial<Look> {
  if (typeof data !== "object" || data === null) return {};
  const { smoothing, xAxis, log, fit } = data as Record<string, unknown>;
  return {
    ...(typeof smoothing === "number" && smoothing >= 0 && smoothing <= MOST_SMOOTHING && { smoothing }),
    ...((xAxis === "step" || xAxis === "time") && { xAxis }),
    ...(typeof log === "boolean" && { log }),
    ...(typeof fit === "boolean" && { fit }),
  };
}
