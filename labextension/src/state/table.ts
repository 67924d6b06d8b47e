/** The points of a chart as rows: a step each, every value as it was measured. Not here: how they are shown. */

import type { Point } from "../protocol";
import type { Chart, Line } from "./charts";
import { place, type Range } from "./curves";
import { symbol } from "./figures";
import type { Look } from "./look";
import { reduced } from "./series";

export interface PointTable {
  /** Of the lines, one a column. */
  names: string[];
  /** By rising step; null where a line has no measurement here. */
  rows: { step: number; values: (string | null)[] }[];
  /** Values in the rows, and how many were measured in all of the part; null: more, nobody here knows how many. */
  shown: number;
  count: number | null;
}

/** Nobody reads more; what comes after it is read by a program. */
export const MOST_ROWS = 300;
/** Points that a range of steps keeps, at most. */
const KEPT = 4;

/** Of the part of the x axis that is looked at. More than `MOST_ROWS` are reduced as curves are: no spike is lost. */
export function pointTable(chart: Chart, look: Pick<Look, "xAxis">, part: Range | null): PointTable {
  const columns = chart.lines.map(({ series }) => series.points.filter((point) => isIn(point, look, part)));
  const steps = new Set(columns.flatMap((points) => points.map(({ step }) => step)));
  const ranges = Math.floor(MOST_ROWS / KEPT / chart.lines.length);
  const told = steps.size <= MOST_ROWS ? steps : new Set(columns.flatMap((points) => reduced(points, ranges).map(({ step }) => step)));
  const byStep = columns.map((points) => new Map(points.map((point) => [point.step, said(point)])));
  const rows = [...told].sort((a, b) => a - b).map((step) => ({ step, values: byStep.map((values) => values.get(step) ?? null) }));
  const counts = chart.lines.map((line, n) => measured(line, columns[n]?.length ?? 0, part));
  return {
    names: chart.lines.map(({ name }) => name),
    rows,
    shown: rows.reduce((sum, { values }) => sum + values.filter((value) => value !== null).length, 0),
    count: counts.reduce<number | null>((sum, one) => (sum === null || one === null ? null : sum + one), 0),
  };
}

function isIn(point: Point, { xAxis }: Pick<Look, "xAxis">, part: Range | null): boolean {
  const x = place(point, xAxis);
  return part === null || (x !== null && x >= part[0] && x <= part[1]);
}

/** With all its digits; what is not finite by its name. */
function said({ value, nf }: Point): string {
  return value === null ? symbol(nf) : String(value).replaceAll("-", "−");
}

function measured({ series: { points, count, near } }: Line, inPart: number, part: Range | null): number | null {
  if (part === null) return count;
  if (near && near.shown < near.count) return null;
  return near || points.length >= count ? inPart : null;
}
