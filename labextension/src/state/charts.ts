/** Which metrics share a chart, and what is to be said of each line. Not here: drawing. */

import type { Job } from "../protocol";
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
    if (toTheEnd) return `${kind} from ${unit} ${first.step}`;
    return missing.length === 1 ? `${kind} at ${unit} ${first.step}` : `${missing.length} × ${kind}, first at ${unit} ${first.step}`;
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
  if (!first || !latest) return `${line.name}, ${count} points, none finite`;
  const sign = better === "down" ? 1 : -1;
  const best = finite.reduce((a, b) => (sign * ((b.value ?? 0) - (a.value ?? 0)) < 0 ? b : a));
  const range = `${count} points, ${figure(first.value)} to ${figure(latest.value)}`;
  return `${line.name}, ${range}, ${better === "down" ? "lowest" : "highest"} ${figure(best.value)} at ${unit} ${best.step}`;
}
