/** One small chart: the lines of one metric, their last values beside their names, a crosshair. */

import uPlot from "uplot";
import { type Chart, type Line, notFinite, type Role, summary } from "../state/charts";
import { count, figure, symbol } from "../state/figures";
import { last } from "../state/series";
import { trans } from "../words";
import { TICK_FONT_PX, xLabel, yLabel, yRange, yTicks } from "./axes";
import { attribute, element, fill, say, show } from "./element";
import { PALETTE, theme } from "./theme";

export interface ChartState {
  chart: Chart;
  /** What a step is called, and how many there will be (null: unknown). */
  unit: string;
  total: number | null;
  width: number;
  /** The step under the crosshair of the whole card; null without one. */
  step: number | null;
}

export interface ChartView {
  /** Data, size or colours changed: draw. */
  paint(next: ChartState): void;
  /** Only the crosshair moved. */
  cross(step: number | null): void;
  /** Steps with values, rising. */
  steps(): readonly number[];
}

const PLOT_PX = 64;
const X_AXIS_PX = 16;
const TOP_PX = 6;
const DOTS_UP_TO = 40;
const DOTS_APART_PX = 9;
const DASH = [4, 3];

export function mount(el: HTMLElement, signal: AbortSignal, pointed: (step: number | null) => void): ChartView {
  const title = element("b", { class: "metric" });
  const note = element("span", { class: "note" });
  const trouble = element("span", { class: "trouble", "data-testid": "mlops-not-finite" });
  const legend = element("div", { class: "legend", "data-testid": "mlops-legend" });
  const plotted = element("div", { class: "plot" });
  const hair = element("div", { class: "hair", hidden: true });
  const pill = element("div", { class: "pill", hidden: true, "data-testid": "mlops-pill" });
  const dotsAt = element("div", { class: "dots" });
  // The pill stands over the axis: over the curve it would hide what is being read.
  const image = element("div", { class: "image", role: "img" }, plotted, pill);
  el.append(element("div", { class: "heading" }, title, note, trouble), legend, image);
  let state: ChartState | null = null;
  let plot: uPlot | null = null;
  let made = "";
  signal.addEventListener("abort", () => plot?.destroy());

  function paint(next: ChartState): void {
    state = next;
    const { chart, unit, width } = next;
    say(title, chart.title + (chart.better === null ? "" : chart.better === "up" ? " ↑" : " ↓"));
    attribute(title, "title", wish(chart));
    const [most] = chart.lines.map((line) => line.series).sort((a, b) => b.count - a.count);
    const part = most && most.points.length < most.count ? trans.__("%1 of %2", count(most.points.length), count(most.count)) : "";
    say(note, part);
    attribute(note, "title", part && trans.__("showing %1 points: first, lowest and highest of each range", part));
    const gap = notFinite(chart, unit);
    say(trouble, gap ?? "");
    show(trouble, gap !== null);
    attribute(image, "aria-label", summary(chart, unit));
    draw(next, width);
    cross(next.step);
  }

  function draw(next: ChartState, width: number): void {
    const key = `${theme()} ${next.chart.lines.map((line) => line.name).join()}`;
    const data = columns(next.chart.lines);
    if (!plot || made !== key) {
      plot?.destroy();
      plotted.replaceChildren();
      plot = new uPlot(options(() => state ?? next, width), data, plotted);
      plot.over.append(hair, dotsAt);
      follow(plot);
      made = key;
      return;
    }
    if (plot.width !== width) plot.setSize({ width, height: PLOT_PX + X_AXIS_PX + TOP_PX });
    plot.setData(data);
  }

  function follow(of: uPlot): void {
    of.over.addEventListener("pointermove", (event) => {
      const { left } = of.over.getBoundingClientRect();
      pointed(of.data[0][of.posToIdx(event.clientX - left)] ?? null);
    });
    of.over.addEventListener("pointerleave", () => pointed(null));
  }

  function cross(step: number | null): void {
    if (!state || !plot) return;
    const { chart } = state;
    const values = chart.lines.map((line) => [line.name, shownAt(line, step)]);
    fill(legend, JSON.stringify([theme(), values]), () =>
      chart.lines.map((line) => entry(line, shownAt(line, step))),
    );
    show(hair, step !== null);
    show(pill, step !== null);
    show(dotsAt, step !== null);
    if (step === null) return;
    const left = plot.valToPos(step, "x");
    hair.style.left = `${left}px`;
    say(pill, `${state.unit} ${count(step)}`);
    const middle = plot.over.offsetLeft + left - pill.offsetWidth / 2;
    pill.style.left = `${Math.max(0, Math.min(middle, image.clientWidth - pill.offsetWidth))}px`;
    dotsAt.replaceChildren(...chart.lines.flatMap((line) => dot(plot as uPlot, line, step)));
  }

  return { paint, cross, steps: () => (plot ? (plot.data[0] as number[]) : []) };
}

/** The metric, and which way is better. */
function wish({ title, better }: Chart): string {
  if (better === null) return title;
  return better === "up" ? trans.__("%1, higher is better", title) : trans.__("%1, lower is better", title);
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
function dot(plot: uPlot, line: Line, step: number): HTMLElement[] {
  const value = line.series.points.find((point) => point.step === step)?.value;
  if (value == null) return [];
  const node = element("i", {});
  node.style.left = `${plot.valToPos(step, "x")}px`;
  node.style.top = `${plot.valToPos(value, "y")}px`;
  node.style.background = color(line.role);
  return [node];
}

/** The last value, or that at the crosshair. */
function shownAt(line: Line, step: number | null): string {
  const point = step === null ? last(line.series) : line.series.points.find((candidate) => candidate.step === step);
  if (!point) return figure(null);
  return point.value === null ? symbol(point.nf) : figure(point.value);
}

function color(role: Role): string {
  const [train, val, test] = PALETTE[theme()];
  return role === "val" ? val : role === "test" ? test : train;
}

/** One column of steps, one a line: null is a gap, undefined is no measurement. */
function columns(lines: readonly Line[]): uPlot.AlignedData {
  const steps = [...new Set(lines.flatMap((line) => line.series.points.map((point) => point.step)))].sort((a, b) => a - b);
  const place = new Map(steps.map((step, i) => [step, i]));
  const values = lines.map((line) => {
    const column = new Array<number | null | undefined>(steps.length);
    for (const point of line.series.points) column[place.get(point.step) as number] = point.value;
    return column;
  });
  return [steps, ...values];
}

function options(state: () => ChartState, width: number): uPlot.Options {
  const style = (name: string, fallback: string) => (plot: uPlot) =>
    getComputedStyle(plot.root).getPropertyValue(name).trim() || fallback;
  const font = `${TICK_FONT_PX}px ${getComputedStyle(document.body).fontFamily || "sans-serif"}`;
  const axis = { font, stroke: style("--quiet", "#777"), ticks: { show: false } };
  return {
    width,
    height: PLOT_PX + X_AXIS_PX + TOP_PX,
    padding: [TOP_PX, (plot) => Math.max(8, 3.4 * xLabel(Math.round(plot.scales["x"]?.max ?? 0)).length), 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: (_plot, low, high) => xRange(state().total, low, high) },
      y: { range: yRange },
    },
    axes: [
      {
        ...axis,
        size: X_AXIS_PX,
        gap: 3,
        grid: { show: false },
        border: { show: true, stroke: style("--firm", "#888"), width: 1 },
        splits: (_plot, _axis, low, high) => (high > low ? [low, high] : [low]),
        values: (_plot, splits) => splits.map((step) => xLabel(Math.round(step))),
      },
      {
        ...axis,
        size: 40,
        gap: 4,
        grid: { stroke: style("--grid", "#ddd"), width: 1 },
        // No numbers at an axis nothing was measured on.
        splits: (_plot, _axis, low, high) => (state().chart.lines.some(isMeasured) ? yTicks(low, high) : []),
        values: (_plot, splits) => splits.map(yLabel),
      },
    ],
    series: [
      {},
      ...state().chart.lines.map((line) => ({
        label: line.name,
        stroke: color(line.role),
        width: 1.75,
        ...(line.role === "val" && { dash: DASH }),
        points: { show: (plot: uPlot, at: number) => dots(plot, state().chart.lines[at - 1]), size: 4, fill: color(line.role) },
      })),
    ],
  };
}

/** Dots say where values are while there are few; closer than this they would only hide the dashes. */
function dots(plot: uPlot, line: Line | undefined): boolean {
  const { min, max } = plot.scales["x"] ?? {};
  const apart = plot.over.clientWidth / Math.max((max ?? 1) - (min ?? 0), 1);
  return line !== undefined && line.series.points.length <= DOTS_UP_TO && (apart >= DOTS_APART_PX || line.series.points.length < 3);
}

function isMeasured(line: Line): boolean {
  return line.series.points.some((point) => point.value !== null);
}

function xRange(total: number | null, low: number, high: number): [number, number] {
  const end = total !== null && total > high ? total : high;
  return end > low ? [low, end] : [low - 0.5, low + 0.5];
}
