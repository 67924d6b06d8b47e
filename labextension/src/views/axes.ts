/** Ranges and ticks of a small chart: all data inside, at most three ticks, labels of 11 px. */

import type uPlot from "uplot";
import { count } from "../state/figures";

export const TICK_FONT_PX = 11;

/** The data with a little air; a constant gets a band around it. */
export function yRange(_plot: uPlot, low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const air = (high - low) * 0.06 || Math.abs(high) * 0.05 || 1;
  return [low - air, high + air];
}

/** Round values inside the range: two or three of them. */
export function yTicks(low: number, high: number): number[] {
  for (const step of steps(high - low)) {
    const first = Math.ceil(low / step - 1e-9);
    const last = Math.floor(high / step + 1e-9);
    const ticks = last - first + 1;
    if (ticks >= 2) return Array.from({ length: Math.min(ticks, 3) }, (_, i) => round((first + i) * step, step));
  }
  return [];
}

/** From coarse to fine, so that the first that gives two ticks gives few. */
function* steps(range: number): Generator<number> {
  const top = 10 ** Math.ceil(Math.log10(range));
  for (let power = 0; power < 3; power++) {
    for (const mantissa of [1, 0.5, 0.2]) yield top * mantissa * 10 ** -power;
  }
}

function round(value: number, step: number): number {
  const decimals = Math.min(Math.max(-Math.floor(Math.log10(step)) + 1, 0), 12);
  return Number(value.toFixed(decimals));
}

export function yLabel(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 100_000)) return value.toExponential(0).replace("e+", "e").replace("-", "−");
  return String(Number(value.toPrecision(5))).replace("-", "−");
}

export function xLabel(step: number): string {
  return count(step);
}
