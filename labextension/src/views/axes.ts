/** Ranges and ticks of a small chart: all data inside, at most three ticks, labels of 11 px. */

import { clock, count, span } from "../state/figures";
import type { Look } from "../state/look";

export const TICK_FONT_PX = 11;

/** The data with a little air; a constant gets a band around it. */
export function yRange(low: number | null, high: number | null, log: boolean): [number, number] {
  if (low === null || high === null) return log ? [0.1, 1] : [0, 1];
  if (log) {
    const air = (high / low) ** 0.06 || 1;
    return high > low ? [low / air, high * air] : [low / 1.2, high * 1.2];
  }
  const air = (high - low) * 0.06 || Math.abs(high) * 0.05 || 1;
  return [low - air, high + air];
}

/** Round values inside the range: two or three of them. */
export function yTicks(low: number, high: number, log: boolean): number[] {
  const powers = log ? powersOfTen(low, high) : [];
  if (powers.length >= 2) return powers;
  for (const step of steps(high - low)) {
    const first = Math.ceil(low / step - 1e-9);
    const last = Math.floor(high / step + 1e-9);
    const ticks = last - first + 1;
    if (ticks >= 2) return Array.from({ length: Math.min(ticks, 3) }, (_, i) => round((first + i) * step, step));
  }
  return [];
}

/** At most three, equally far from each other. */
function powersOfTen(low: number, high: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const apart = Math.max(Math.ceil((last - first) / 2), 1);
  return Array.from({ length: Math.floor((last - first) / apart) + 1 }, (_, i) => Number(`1e${first + i * apart}`));
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

export function xLabel(x: number, axis: Look["xAxis"]): string {
  if (axis === "step") return count(Math.round(x));
  return x < 60 ? span(Math.max(x, 0)) : clock(x);
}
