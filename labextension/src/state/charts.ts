/** Which metrics share a chart, and what is to be said of each line. Not here: drawing. */

import type { Job } from "../protocol";
import { trans } from "../words";
import { figure, symbol } from "./figures";
import type { Series, SeriesByName } from "./series";

export type Role = "train" | "val" | "test" | "only";

export interface Line {
  /** The metric's full name. */
  name: string;
  role: Role;
  series: Series;
}

export interface Chart {
  title: string;
  /** Which way is better; null where nobody said. */
  better: "up" | "down" | null;
  lines: Line[];
}

const ROLES: readonly Role[] = ["train", "val", "test"];
const DOWN = /loss|error|deviance|mse|mae|mape|brier|perplexity/;
const UP = /accuracy|f1|auc|precision|recall|(^|_)r2$|score|kappa|explained_variance/;

/** `train_x`, `val_x`, `x/train` and `x/val` are one chart; that of the job's own metric comes first. */
export function charts(job: Job | null, all: SeriesByName): Chart[] {
  const byTitle = new Map<string, Line[]>();
  for (const [name, series] of all) {
    const { title, role } = parts(name);
    byTitle.set(title, [...(byTitle.get(title) ?? []), { name, role, series }]);
  }
  const found = [...byTitle].map(([title, lines]) => ({
    title,
    better: direction(job, title),
    lines: lines.sort((a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role)),
  }));
  return found.sort((a, b) => Number(b.title === job?.metric) - Number(a.title === job?.metric));
}

function parts(name: string): { title: string; role: Role } {
  const match = /^(train|val|test)_(.+)$/.exec(name) ?? /^(.+)\/(train|val|test)$/.exec(name);
  if (!match) return { title: name, role: "only" };
  const [, first = "", second = ""] = match;
  return ROLES.includes(first as Role)
    ? { title: second, role: first as Role }
    : { title: first, role: second as Role };
}

function direction(job: Job | null, title: string): Chart["better"] {
  if (title === job?.metric && job.greater_is_better !== null) return job.greater_is_better ? "up" : "down";
  if (DOWN.test(title)) return "down";
  return UP.test(title) ? "up" : null;
}

/** `NaN from epoch 12`, `2 × inf, first at epoch 3`; null when all values are finite. */
export function notFinite(chart: Chart, unit: string): string | null {
  for (const line of chart.lines) {
    const points = line.series.points;
    const missing = points.filter((point) => point.value === null);
    const first = missing[0];
    if (!first) continue;
    const kind = symbol(first.nf);
    const toTheEnd = points.slice(points.indexOf(first)).every((point) => point.value === null);
    const step = String(first.step);
    if (toTheEnd) return trans.__("%1 from %2 %3", kind, unit, step);
    if (missing.length === 1) return trans.__("%1 at %2 %3", kind, unit, step);
    return trans.__("%1 × %2, first at %3 %4", String(missing.length), kind, unit, step);
  }
  return null;
}

/** What a chart shows, in a sentence for those who do not see it. */
export function summary(chart: Chart, unit: string): string {
  return chart.lines.map((line) => described(line, chart.better, unit)).join("; ");
}

function described(line: Line, better: Chart["better"], unit: string): string {
  const { points, count } = line.series;
  const finite = points.filter((point) => point.value !== null);
  const [first, latest] = [finite[0], finite.at(-1)];
  if (!first || !latest) return trans._n("%2, %1 point, none finite", "%2, %1 points, none finite", count, line.name);
  const sign = better === "down" ? 1 : -1;
  const best = finite.reduce((a, b) => (sign * ((b.value ?? 0) - (a.value ?? 0)) < 0 ? b : a));
  const values = [figure(first.value), figure(latest.value), figure(best.value), unit, String(best.step)];
  return better === "down"
    ? trans._n("%2, %1 point, %3 to %4, lowest %5 at %6 %7", "%2, %1 points, %3 to %4, lowest %5 at %6 %7", count, line.name, ...values)
    : trans._n("%2, %1 point, %3 to %4, highest %5 at %6 %7", "%2, %1 points, %3 to %4, highest %5 at %6 %7", count, line.name, ...values);
}
