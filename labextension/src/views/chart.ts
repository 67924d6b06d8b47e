/** One small chart: the lines of one metric, their last values beside their names, a crosshair. */

import uPlot from "uplot";
import { type Chart, type Line, notFinite, type Role, summary } from "../state/charts";
import { type Curves, curves, place, type Range, reading } from "../state/curves";
import { count, figure, symbol } from "../state/figures";
import type { Look } from "../state/look";
import { trans } from "../words";
import { xLabel } from "./axes";
import { brush } from "./brush";
import { attribute, element, fill, say, show } from "./element";
import type { Picture } from "./picture";
import { AROUND_PX, color, data, type Drawn, isLog, kind, leftOut, options } from "./plot";
import { theme } from "./theme";

export interface ChartState {
  chart: Chart;
  /** What a step is called, and how many there will be (null: unknown). */
  unit: string;
  total: number | null;
  look: Look;
  width: number;
  /** Of the plot, without its x axis. */
  height: number;
  /** The parts of the axes that are looked at; null: all. */
  x: Range | null;
  y: Range | null;
  /** The step under the crosshair of the whole card; null without one. */
  step: number | null;
}

export interface ChartView {
  /** Data, size, colours or the way it is looked at changed: draw. */
  paint(next: ChartState): void;
  /** What words say of what was drawn. After all charts are drawn: to draw one, styles are read, which words that changed make dear. */
  tell(): void;
  /** Only the crosshair moved. */
  cross(step: number | null): void;
  /** Steps with values and where they are, in the order of the x axis. */
  rows(): Pick<Curves, "steps" | "xs">;
  /** What the y axis shows, and the value of the first line at a step. */
  y(step: number | null): { shown: Range; at: number | null };
  /** What is drawn; null before anything is. */
  picture(): Picture | null;
}

export interface Pointer {
  pointed(step: number | null): void;
  dragged(axis: "x" | "y", part: Range): void;
}

export function mount(el: HTMLElement, signal: AbortSignal, { pointed, dragged }: Pointer): ChartView {
  const title = element("b", { class: "metric" });
  const note = element("span", { class: "note" });
  const trouble = element("span", { class: "trouble", "data-testid": "mlops-not-finite" });
  const hidden = element("span", { class: "hidden", "data-testid": "mlops-left-out" });
  const average = element("span", { class: "average", "data-testid": "mlops-smoothed" });
  const legend = element("div", { class: "legend", "data-testid": "mlops-legend" });
  const plotted = element("div", { class: "plot" });
  const hair = element("div", { class: "hair", hidden: true });
  const pill = element("div", { class: "pill", hidden: true, "data-testid": "mlops-pill" });
  const dotsAt = element("div", { class: "dots" });
  // The pill stands over the axis: over the curve it would hide what is being read.
  const image = element("div", { class: "image", role: "img" }, plotted, pill);
  el.append(element("div", { class: "heading" }, title, note, hidden, average, trouble), legend, image);
  let drawn: Drawn | null = null;
  let plot: uPlot | null = null;
  let made = "";
  signal.addEventListener("abort", () => plot?.destroy());

  function paint(state: ChartState): void {
    drawn = { state, curves: curves(state.chart, state.look) };
    image.style.height = `${state.height + AROUND_PX}px`;
    plot = draw(drawn);
  }

  function tell(): void {
    if (!drawn || !plot) return;
    const { state } = drawn;
    const { chart, unit, look } = state;
    say(title, chart.title + (chart.better === null ? "" : chart.better === "up" ? " ↑" : " ↓"));
    attribute(title, "title", wish(chart));
    const [most] = chart.lines.map((line) => line.series).sort((a, b) => b.count - a.count);
    const seen = most && (state.x && most.near ? most.near : { shown: most.points.length, count: most.count });
    const part = seen && seen.shown < seen.count ? trans.__("%1 of %2", count(seen.shown), count(seen.count)) : "";
    const linear = look.log && !isLog(state) ? trans.__("linear") : "";
    say(note, [part, linear].filter(Boolean).join(" · "));
    attribute(
      note,
      "title",
      [
        part && trans.__("showing %1 points: first, lowest and highest of each range", part),
        linear && trans.__("There are values of 0 or below: they have no logarithm."),
      ]
        .filter(Boolean)
        .join(". "),
    );
    const gap = notFinite(chart, unit);
    say(trouble, gap ?? "");
    show(trouble, gap !== null);
    attribute(image, "aria-label", summary(chart, unit));
    const out = look.fit || state.y ? beyond(leftOut(plot, drawn), part !== "") : "";
    say(hidden, out);
    show(hidden, out !== "");
    cross(state.step);
  }

  function draw(next: Drawn): uPlot {
    const { width } = next.state;
    const height = next.state.height + AROUND_PX;
    const wanted = kind(next.state);
    if (!plot || made !== wanted) {
      plot?.destroy();
      plotted.replaceChildren();
      const fresh = new uPlot(options(() => drawn ?? next, next.state), data(next.curves), plotted);
      fresh.over.append(hair, dotsAt);
      follow(fresh);
      brush(fresh, dragged);
      made = wanted;
      fresh.batch(() => {});
      return fresh;
    }
    const at = plot;
    // At once: what is counted and where the crosshair stands depends on the scales.
    at.batch(() => {
      if (at.width !== width || at.height !== height) at.setSize({ width, height });
      at.setData(data(next.curves));
    });
    return at;
  }

  function follow(of: uPlot): void {
    of.over.addEventListener("pointermove", (event) => {
      const { left } = of.over.getBoundingClientRect();
      pointed(drawn?.curves.steps[of.posToIdx(event.clientX - left)] ?? null);
    });
    of.over.addEventListener("pointerleave", () => pointed(null));
  }

  function cross(step: number | null): void {
    if (!drawn || !plot) return;
    const { chart, look, unit } = drawn.state;
    const read = chart.lines.map((line) => reading(line, look, step));
    const values = read.map((one) => (one?.point.value === null ? symbol(one.point.nf) : figure(one?.point.value)));
    fill(legend, JSON.stringify([theme(), chart.lines.map((line) => line.name), values]), () =>
      chart.lines.map((line, n) => entry(line, values[n] ?? "")),
    );
    const soft = read.map((one) => figure(one?.smooth));
    say(average, look.smoothing > 0 ? `∿ ${soft.join(" · ")}` : "");
    const named = chart.lines.map((line, n) => `${line.name} ${soft[n]}`).join(", ");
    attribute(average, "title", trans.__("smoothed by %1: %2", look.smoothing.toFixed(2), named));
    show(average, look.smoothing > 0);
    const met = read.flatMap((one, n) => {
      const line = chart.lines[n];
      const x = one && place(one.point, look.xAxis);
      return step === null || !one || !line || x == null ? [] : [{ line, x, value: one.point.value }];
    });
    // Where no line of this chart has the step, its own axis still does.
    const found = met.at(-1)?.x ?? (look.xAxis === "step" ? step : null);
    const x = found !== null && isShown(plot, found) ? found : null;
    for (const node of [hair, pill, dotsAt]) show(node, x !== null);
    if (x === null || step === null) return;
    const left = plot.valToPos(x, "x");
    hair.style.left = `${left}px`;
    say(pill, look.xAxis === "step" ? `${unit} ${count(step)}` : `${xLabel(x, look.xAxis)} · ${unit} ${count(step)}`);
    const middle = plot.over.offsetLeft + left - pill.offsetWidth / 2;
    pill.style.left = `${Math.max(0, Math.min(middle, image.clientWidth - pill.offsetWidth))}px`;
    const at = plot;
    dotsAt.replaceChildren(...met.flatMap(({ line, x, value }) => (value === null ? [] : [dot(at, line, x, value)])));
  }

  function y(step: number | null): { shown: Range; at: number | null } {
    const { min, max } = plot?.scales["y"] ?? {};
    const line = drawn?.state.chart.lines[0];
    return { shown: [min ?? 0, max ?? 1], at: (line && drawn && reading(line, drawn.state.look, step)?.point.value) ?? null };
  }

  function picture(): Picture | null {
    if (!drawn || !plot) return null;
    const { lines } = drawn.state.chart;
    const values = [...legend.children].map((entry) => entry.textContent ?? "");
    return {
      title: title.textContent ?? "",
      notes: [note, hidden, average, trouble].filter((one) => !one.hidden && one.textContent).map((one) => one.textContent ?? ""),
      legend: lines.map(({ role }, n) => ({ text: values[n] ?? "", color: color(role), dashed: role === "val" })),
      canvas: plot.ctx.canvas,
      width: plot.width,
      height: plot.height,
    };
  }

  return { paint, tell, cross, rows: () => drawn?.curves ?? { steps: [], xs: [] }, y, picture };
}

function isShown(plot: uPlot, x: number): boolean {
  const { min, max } = plot.scales["x"] ?? {};
  return x >= (min ?? x) && x <= (max ?? x);
}

/** The metric, and which way is better. */
function wish({ title, better }: Chart): string {
  if (better === null) return title;
  return better === "up" ? trans.__("%1, higher is better", title) : trans.__("%1, lower is better", title);
}

/** Of a reduced series more may be out of sight than its points tell. */
function beyond({ above, below }: { above: number; below: number }, reduced: boolean): string {
  const more = reduced ? "+" : "";
  const told = [
    above > 0 ? trans._n("▲ %2 point above", "▲ %2 points above", above, count(above) + more) : "",
    below > 0 ? trans._n("▼ %2 point below", "▼ %2 points below", below, count(below) + more) : "",
  ];
  return told.filter(Boolean).join(" ");
}

function called(role: Exclude<Role, "only">): string {
  return { train: trans.__("train"), val: trans.__("val"), test: trans.__("test") }[role];
}

function entry(line: Line, value: string): HTMLElement {
  const sample = element("i", { class: line.role === "val" ? "sample dashed" : "sample" });
  sample.style.borderColor = color(line.role);
  const label = line.role === "only" ? "" : `${called(line.role)} `;
  return element("span", { class: "entry", title: line.name }, sample, label, element("b", {}, value));
}

/** Where the crosshair meets a line. */
function dot(plot: uPlot, line: Line, x: number, value: number): HTMLElement {
  const node = element("i", {});
  node.style.left = `${plot.valToPos(x, "x")}px`;
  node.style.top = `${plot.valToPos(value, "y")}px`;
  node.style.background = color(line.role);
  return node;
}
