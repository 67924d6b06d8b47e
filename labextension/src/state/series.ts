/**
 * What was measured of each metric, in steps, bounded in memory. Long series keep the first, lowest, highest and
 * every not finite point of equal ranges of steps: no spike is lost. Not here: drawing (views/charts.ts).
 */

import type { Point } from "../protocol";

export interface Series {
  /** How many points were measured; more than `points` holds when the series was reduced. */
  count: number;
  /** By rising step, one a step. A value that is not finite is null, its kind stands in `nf`. */
  points: readonly Point[];
  /** In the part that is looked at from near: how many points are shown of how many. */
  near?: { shown: number; count: number };
}

/** What was measured from one step to another, in its own detail. */
export interface Part {
  from: number;
  to: number;
  series: SeriesByName;
}

/** By the metric's name, which is the user's: a Map, since a name may be `__proto__`. */
export type SeriesByName = ReadonlyMap<string, Series>;

export const NO_SERIES: SeriesByName = new Map();

/** Beyond this a series is reduced to at most half of it. */
export const MOST_POINTS = 2_000;
const RANGES = 250;

export function measured(answer: Record<string, { count: number; points: readonly Point[] }>): SeriesByName {
  return new Map(
    Object.entries(answer).map(([name, { count, points }]) => [name, bounded({ count, points: ordered(points) })]),
  );
}

export function append(all: SeriesByName, points: readonly Point[]): SeriesByName {
  if (points.length === 0) return all;
  const news = grouped(points, (point) => point.name);
  const next = new Map(all);
  for (const [name, fresh] of news) {
    const before = all.get(name) ?? { count: 0, points: [] };
    const merged = joined(before.points, ordered(fresh));
    const repeated = before.points.length + fresh.length - merged.length;
    next.set(name, bounded({ count: before.count + fresh.length - repeated, points: merged }));
  }
  return next;
}

/** With a part in its own detail, and everything else as it is. */
export function magnified(all: SeriesByName, part: Part | null): SeriesByName {
  if (!part) return all;
  return new Map([...all].map(([name, series]) => [name, nearer(series, part.from, part.series.get(name))]));
}

function nearer(series: Series, from: number, detail: Series | undefined): Series {
  const last = detail?.points.at(-1)?.step;
  if (!detail || last === undefined || series.points.length >= series.count) return series;
  // What came after the answer is behind it.
  const [before, after] = [series.points.filter(({ step }) => step < from), series.points.filter(({ step }) => step > last)];
  return { count: series.count, points: [...before, ...detail.points, ...after], near: { shown: detail.points.length, count: detail.count } };
}

export function last(series: Series | undefined): Point | undefined {
  return series?.points.at(-1);
}

function grouped<Key>(points: readonly Point[], key: (point: Point) => Key): Map<Key, Point[]> {
  const groups = new Map<Key, Point[]>();
  for (const point of points) {
    const group = groups.get(key(point));
    if (group) group.push(point);
    else groups.set(key(point), [point]);
  }
  return groups;
}

function ordered(points: readonly Point[]): readonly Point[] {
  const rising = points.every((point, i) => i === 0 || point.step > (points[i - 1]?.step ?? 0));
  if (rising) return points;
  // A step measured twice counts as measured last.
  const byStep = new Map(points.map((point) => [point.step, point]));
  return [...byStep.values()].sort((a, b) => a.step - b.step);
}

function joined(before: readonly Point[], fresh: readonly Point[]): readonly Point[] {
  const tail = before.at(-1);
  const head = fresh[0];
  if (!tail || !head || head.step > tail.step) return [...before, ...fresh];
  return ordered([...before, ...fresh]);
}

function bounded(series: Series): Series {
  return series.points.length > MOST_POINTS
    ? { count: series.count, points: reduced(series.points, RANGES) }
    : series;
}

/** At most about four points a range: the first, the lowest, the highest, and those that are not finite. */
export function reduced(points: readonly Point[], ranges: number): readonly Point[] {
  const start = points[0]?.step ?? 0;
  const end = points.at(-1)?.step ?? 0;
  const width = (end - start + 1) / ranges;
  const byRange = grouped(points, (point) => Math.floor((point.step - start) / width));
  const kept = [...byRange.values()].flatMap(telling);
  const tail = points.at(-1);
  if (tail && kept.at(-1) !== tail) kept.push(tail);
  return kept;
}

function telling(range: readonly Point[]): Point[] {
  let [lowest, highest] = [range[0], range[0]];
  const kept = new Set<Point>();
  let notFinite: Point | undefined;
  for (const point of range) {
    if (point.value === null) notFinite ??= point;
    else if (lowest?.value == null || point.value < lowest.value) lowest = point;
    if (point.value !== null && (highest?.value == null || point.value > highest.value)) highest = point;
  }
  for (const point of [range[0], lowest, highest, notFinite]) if (point) kept.add(point);
  return [...kept].sort((a, b) => a.step - b.step);
}
