/** The first rows of a dataset as a table in a scroll box of its own; above each column what is known of all its rows. */

import { figure, UNKNOWN } from "../state/figures";
import { balance, described, distinct, type Histogram, type Preview, type PreviewColumn, share } from "../state/preview";
import { trans } from "../words";
import { element } from "./element";

const SVG = "http://www.w3.org/2000/svg";

/** Of very wide tables the server sends the cells of some columns only: no others are shown. */
export function table({ columns, rows: first, profiled_rows: rows }: Preview): HTMLElement {
  const heads = columns.slice(0, first[0]?.length ?? columns.length).map((column) => head(column, rows));
  const lines = first.map((row, at) => element("tr", {}, element("th", { scope: "row" }, String(at + 1)), ...row.map((value, place) => cell(value, columns[place]?.kind))));
  const number = element("th", { scope: "col" }, element("span", { class: "spoken" }, trans.__("Row")));
  return element(
    "div",
    { class: "preview", tabindex: "0", role: "region", "aria-label": trans.__("First rows"), "data-testid": "mlops-preview" },
    element("table", {}, element("thead", {}, element("tr", {}, number, ...heads)), element("tbody", {}, ...lines)),
  );
}

function head(column: PreviewColumn, rows: number): HTMLElement {
  const part = rows > 0 ? column.missing / rows : 0;
  const missing = column.missing > 0 ? trans.__("%1 missing", share(column.missing, rows)) : trans.__("none missing");
  const bar = element("span", { class: "gap-bar", "aria-hidden": "true" }, filled(part));
  return element(
    "th",
    { scope: "col", "data-testid": "mlops-column" },
    element("span", { class: "column-name", title: column.name }, column.name),
    element("span", { class: "kind", title: column.dtype }, `${kindWord(column.kind)} · ${distinct(column)}`),
    element("span", { class: "gap" }, bar, missing),
    picture(column, rows),
  );
}

function picture(column: PreviewColumn, rows: number): Node | null {
  if (column.histogram && column.histogram.counts.length > 0) return histogram(column.histogram, column.kind);
  const top = balance(column, rows)?.slice(0, 3);
  if (!top) return null;
  return element("ul", { class: "top" }, ...top.map((one) => element("li", {}, element("span", { title: one.value }, shown(one.value)), element("b", {}, one.text.split(" (")[0] ?? ""))));
}

export function histogram(given: Histogram, kind: string): SVGSVGElement {
  const { counts } = given;
  const highest = Math.max(...counts, 1);
  const svg = document.createElementNS(SVG, "svg");
  const wide = 100 / counts.length;
  svg.setAttribute("class", "histogram");
  svg.setAttribute("viewBox", "0 0 100 24");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", described(given, kind));
  counts.forEach((count, at) => {
    // What is there is seen, however few.
    const high = count === 0 ? 0 : Math.max((24 * count) / highest, 1);
    const bar = document.createElementNS(SVG, "rect");
    const place = { x: at * wide + wide * 0.06, y: 24 - high, width: wide * 0.88, height: high };
    for (const [name, value] of Object.entries(place)) bar.setAttribute(name, value.toFixed(2));
    svg.append(bar);
  });
  const title = document.createElementNS(SVG, "title");
  title.textContent = described(given, kind);
  svg.append(title);
  return svg;
}

function filled(part: number): HTMLElement {
  const bar = element("i", {});
  bar.style.width = `${Math.max(100 * part, part > 0 ? 2 : 0)}%`;
  return bar;
}

function cell(value: string | number | boolean | null, kind: string | undefined): HTMLElement {
  if (value === null) return element("td", { class: "none", title: trans.__("missing") }, UNKNOWN);
  if (typeof value === "number") return element("td", { class: "number", title: String(value) }, figure(value));
  const text = String(value);
  // Numbers that JSON does not have: `inf`, `-inf`, and those beyond what it keeps exact.
  return element("td", { title: text, ...(kind === "number" ? { class: "number" } : {}) }, shown(text));
}

/** Blanks are seen. */
function shown(text: string): string {
  return text.trim() === "" ? `“${text}”` : text;
}

function kindWord(kind: string): string {
  const words: Record<string, string> = {
    number: trans.__("number"),
    integer: trans.__("integer"),
    boolean: trans.__("yes or no"),
    category: trans.__("category"),
    text: trans.__("text"),
    date: trans.__("date"),
    duration: trans.__("duration"),
    empty: trans.__("empty"),
  };
  return words[kind] ?? kind;
}
