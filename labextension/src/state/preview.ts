/** What a dataset looks like: its first rows, its columns in figures, what is wrong with it, what could be learned. */

import { trans } from "../words";
import type { Dataset, DatasetVersion } from "./assets";
import { count, figure, UNKNOWN } from "./figures";

export interface Histogram {
  edges: number[];
  counts: number[];
}

export interface PreviewColumn {
  name: string;
  kind: string;
  dtype: string;
  /** Rows without a value. */
  missing: number;
  distinct: number | null;
  /** Of numbers, and of dates as seconds since 1970: `edges` has one more than `counts`. */
  histogram?: Histogram | null;
  /** The most frequent values, or all where there are few. */
  top?: { value: string | number | boolean | null; count: number }[] | null;
  warnings: string[];
}

export interface Problem {
  message: string;
  column?: string | null;
  severity?: string;
}

export interface Preview {
  columns: PreviewColumn[];
  /** The first, as text, numbers and null; numbers that are infinite, or too large to be exact, as text. */
  rows: (string | number | boolean | null)[][];
  problems: Problem[];
  suggested_target: { name: string; reason: string } | null;
  /** By so many rows, the first, the columns are described. */
  profiled_rows: number;
}

type UsedAs = "training" | "test";

export interface Lineage {
  jobs: { job_id: string; name: string; status: string; used_as: UsedAs }[];
  models: { model_id: string; name: string; version: number; used_as: UsedAs }[];
}

/** A dataset as its view shows it. */
export interface DatasetSight {
  id: string;
  dataset: Dataset | null;
  /** The version that is shown; null: the newest. */
  version: number | null;
  preview: Preview | null;
  lineage: Lineage | null;
  /** Why there is nothing to see. */
  trouble: string | null;
  now: number;
}

export function shownVersion({ dataset, version }: Pick<DatasetSight, "dataset" | "version">): DatasetVersion | null {
  return dataset?.versions.find((one) => one.version === version) ?? dataset?.versions.at(-1) ?? null;
}

/** `3.2 %` of the rows have no value there; `< 0.1 %` where there are some. */
export function share(part: number, whole: number): string {
  if (whole === 0) return UNKNOWN;
  const percent = (100 * part) / whole;
  if (part > 0 && percent < 0.1) return "< 0.1\u202f%";
  return `${percent >= 10 || percent === 0 ? Math.round(percent) : percent.toFixed(1)}\u202f%`;
}

/** How the rows are spread over the values of a column that is to be learned; null where that is not known. */
export function balance(column: PreviewColumn, rows: number): { value: string; share: number; text: string }[] | null {
  const known = (column.top ?? []).reduce((sum, { count }) => sum + count, 0);
  if (!column.top?.length || rows === 0) return null;
  const parts = column.top.map((one) => ({ value: String(one.value), count: one.count }));
  const rest = rows - column.missing - known;
  if (rest > 0) parts.push({ value: trans.__("all others"), count: rest });
  return parts.map((one) => ({ value: one.value, share: one.count / rows, text: `${share(one.count, rows)} (${count(one.count)})` }));
}

export function distinct(column: PreviewColumn): string {
  if (column.distinct === null) return UNKNOWN;
  return trans._n("%1 value", "%1 values", column.distinct).replace(String(column.distinct), count(column.distinct));
}

/** Said of a picture: from where to where, and where most are. */
export function described({ edges, counts }: Histogram, kind: string): string {
  const most = counts.indexOf(Math.max(...counts));
  const said = (at: number) => edge(edges[at], kind);
  return trans.__("%1 to %2, most from %3 to %4", said(0), said(edges.length - 1), said(most), said(most + 1));
}

function edge(value: number | undefined, kind: string): string {
  if (value === undefined) return UNKNOWN;
  return kind === "date" ? new Date(1000 * value).toISOString().slice(0, 10) : figure(value);
}

/** What is wrong, with the column where the sentence does not name it. */
export function problem({ column, message }: Problem): string {
  return column && !message.includes(column) ? `${column}: ${message}` : message;
}
