/** What of a chart's points is drawn, and where: rows along the x axis, smoothed lines, the y range. Not here: drawing. */

import type { Point } from "../protocol";
import type { Chart, Line } from "./charts";
import type { Look } from "./look";

export type Column = (number | null | undefined)[];

export interface Curves {
  /** The step of each row, and where it is on the x axis: rising. */
  steps: number[];
  xs: number[];
  /** One a line: null is a gap, undefined is no measurement. */
  raw: Column[];
  /** Of the same lines; none without smoothing. */
  smooth: Column[];
}

/**
 * The debiased moving average of what came before, which points to come do not change. A value that is not finite
 * is a gap, and the average goes on behind it.
 */
export function smoothed(points: readonly Point[], weight: number): (number | null)[] {
  let [sum, mass] = [0, 0];
  return points.map(({ value }) => {
    if (value === null) return null;
    sum = weight * sum + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    return sum / mass;
  });
}

/** Where a point is on the x axis; null where its time is not known. */
export function place(point: Point, axis: Look["xAxis"]): number | null {
  return axis === "step" ? point.step : (point.elapsed ?? null);
}

export function curves(chart: Chart, look: Look): Curves {
  const found = chart.lines.flatMap(({ series: { points } }, n) => {
    const soft = look.smoothing > 0 ? smoothed(points, look.smoothing) : [];
    return points.map((point, i) => ({ n, point, x: place(point, look.xAxis) ?? 0, soft: soft[i] }));
  });
  // Steps of one moment stay apart: both points are drawn.
  found.sort((a, b) => a.x - b.x || a.point.step - b.point.step);
  const drawn: Curves = { steps: [], xs: [], raw: chart.lines.map(() => []), smooth: look.smoothing > 0 ? chart.lines.map(() => []) : [] };
  for (const { n, point, x, soft } of found) {
    const before = drawn.xs.length - 1;
    const row = drawn.xs[before] === x && drawn.steps[before] === point.step ? before : before + 1;
    drawn.xs[row] = x;
    drawn.steps[row] = point.step;
    (drawn.raw[n] as Column)[row] = point.value;
    if (look.smoothing > 0) (drawn.smooth[n] as Column)[row] = soft;
  }
  for (const column of [...drawn.raw, ...drawn.smooth]) column.length = drawn.xs.length;
  return drawn;
}

/** Value and smoothed value of a line at a step, or its last; undefined where there was no measurement. */
export function reading({ series: { points } }: Line, look: Look, step: number | null): { point: Point; smooth: number | null } | undefined {
  const at = step === null ? points.length - 1 : points.findIndex((point) => point.step === step);
  const point = points[at];
  return point && { point, smooth: look.smoothing > 0 ? (smoothed(points.slice(0, at + 1), look.smoothing)[at] ?? null) : null };
}

export type Range = readonly [low: number, high: number];

/** The values without their lowest and highest hundredth: all of them up to a hundred; null where there are none. */
export function middle(values: readonly number[]): Range | null {
  const sorted = [...values].sort((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) * 0.01)];
  const high = sorted[Math.ceil((sorted.length - 1) * 0.99)];
  return low === undefined || high === undefined ? null : [low, high];
}

/** How many values are above and below a range. */
export function outside(values: readonly number[], [low, high]: Range): { above: number; below: number } {
  return { above: values.filter((value) => value > high).length, below: values.filter((value) => value < low).length };
}

/** Values that were measured, of all lines, within a part of the x axis. */
export function valuesIn(drawn: Curves, x: Range | null): number[] {
  const inside = (row: number) => x === null || ((drawn.xs[row] ?? 0) >= x[0] && (drawn.xs[row] ?? 0) <= x[1]);
  return drawn.raw.flatMap((column) => column.filter((value, row): value is number => typeof value === "number" && inside(row)));
}

/** Whether each of its values has a logarithm. */
export function isPositive(chart: Chart): boolean {
  return chart.lines.every(({ series }) => series.points.every(({ value }) => value === null || value > 0));
}

/** Whether it is known when each of its points was measured. */
export function isTimed(chart: Chart): boolean {
  return chart.lines.every(({ series }) => series.points.every(({ elapsed }) => elapsed !== undefined));
}
