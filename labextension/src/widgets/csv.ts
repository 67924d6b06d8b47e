/** Measured values as a file: one row a point, in the order of steps. */

import type { Point } from "../protocol";
import type { Card } from "../state/card";

type Answer = Record<string, { points: readonly Point[] }>;

/** Saves what the server sent, or else what the card holds. */
export function save(card: Card, answer: Answer | null): void {
  const series: [string, readonly Point[]][] = answer
    ? Object.entries(answer).map(([name, { points }]) => [name, points])
    : [...card.series].map(([name, { points }]) => [name, points]);
  saveAs(new Blob([table(series)], { type: "text/csv" }), `${card.jobId}-metrics.csv`);
}

export function saveAs(body: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(body);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function table(series: readonly [string, readonly Point[]][]): string {
  const rows = series.flatMap(([name, points]) =>
    points.map((point) =>
      // A plus would be a formula; readers of numbers know "inf".
      [cell(name), point.step, point.value ?? point.nf?.replace("+", "") ?? "", point.elapsed ?? ""].join(","),
    ),
  );
  return `${["metric,step,value,elapsed_seconds", ...rows].join("\n")}\n`;
}

/** Quoted, and no formula to a spreadsheet. */
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
