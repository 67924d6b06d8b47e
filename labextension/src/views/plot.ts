/** How uPlot is to draw one chart: scales, axes, lines. */

import uPlot from "uplot";
import type { Line, Role } from "../state/charts";
import { type Curves, isPositive, middle, outside, place, valuesIn } from "../state/curves";
import type { ChartState } from "./chart";
import { TICK_FONT_PX, xLabel, yLabel, yRange, yTicks } from "./axes";
import { PALETTE, theme } from "./theme";

export const PLOT_PX = 64;
const X_AXIS_PX = 16;
const TOP_PX = 6;
export const AROUND_PX = X_AXIS_PX + TOP_PX;
const DOTS_UP_TO = 40;
const DOTS_APART_PX = 9;
const DASH = [4, 3];
/** Thin and a little paler than its average, and still 3:1 on the ground. */
const RAW_ALPHA = 0.85;

export interface Drawn {
  state: ChartState;
  curves: Curves;
}

/** Whether this chart's y axis is logarithmic: asked for, and there is no value without a logarithm. */
export function isLog({ chart, look }: ChartState): boolean {
  return look.log && isPositive(chart);
}

/** What an existing plot cannot take up: with another of these it is made anew. */
export function kind(state: ChartState): string {
  const { chart, look } = state;
  return JSON.stringify([theme(), chart.lines.map((line) => line.name), look.xAxis, look.smoothing > 0, isLog(state)]);
}

export function data({ xs, raw, smooth }: Curves): uPlot.AlignedData {
  return [xs, ...raw, ...smooth];
}

export function color(role: Role): string {
  const [train, val, test] = PALETTE[theme()];
  return role === "val" ? val : role === "test" ? test : train;
}

/** Points of the visible part that the y axis leaves out. */
export function leftOut(plot: uPlot, { curves }: Drawn): { above: number; below: number } {
  const { x, y } = plot.scales;
  return outside(valuesIn(curves, [x?.min ?? 0, x?.max ?? 0]), [y?.min ?? 0, y?.max ?? 0]);
}

export function options(drawn: () => Drawn, { width, height }: Pick<ChartState, "width" | "height">): uPlot.Options {
  const style = (name: string, fallback: string) => (plot: uPlot) =>
    getComputedStyle(plot.root).getPropertyValue(name).trim() || fallback;
  const font = `${TICK_FONT_PX}px ${getComputedStyle(document.body).fontFamily || "sans-serif"}`;
  const axis = { font, stroke: style("--quiet", "#777"), ticks: { show: false } };
  const { chart, look } = drawn().state;
  const log = isLog(drawn().state);
  const soft = look.smoothing > 0;
  const label = (x: number) => xLabel(x, look.xAxis);
  return {
    width,
    height: height + AROUND_PX,
    padding: [TOP_PX, (plot) => Math.max(8, 3.4 * label(plot.scales["x"]?.max ?? 0).length), 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: (_plot, low, high) => xRange(drawn().state, low, high) },
      y: { distr: log ? 3 : 1, range: (plot, low, high) => yShown(plot, drawn(), low, high) },
    },
    axes: [
      {
        ...axis,
        size: X_AXIS_PX,
        gap: 3,
        grid: { show: false },
        border: { show: true, stroke: style("--firm", "#888"), width: 1 },
        splits: (_plot, _axis, low, high) => (high > low ? [low, high] : [low]),
        values: (_plot, splits) => splits.map(label),
      },
      {
        ...axis,
        size: 40,
        gap: 4,
        grid: { stroke: style("--grid", "#ddd"), width: 1 },
        // No numbers at an axis nothing was measured on.
        splits: (_plot, _axis, low, high) => (drawn().state.chart.lines.some(isMeasured) ? yTicks(low, high, log) : []),
        // uPlot would leave out those that are no powers of ten.
        filter: (_plot, splits) => splits,
        values: (_plot, splits) => splits.map(yLabel),
      },
    ],
    series: [
      {},
      ...chart.lines.map((line, n) => ({
        ...stroke(line),
        width: soft ? 1 : 1.75,
        alpha: soft ? RAW_ALPHA : 1,
        points: { show: (plot: uPlot) => dots(plot, drawn().state, drawn().state.chart.lines[n]), size: 4, fill: color(line.role) },
      })),
      ...(soft ? chart.lines.map((line) => ({ ...stroke(line), width: 2.5, points: { show: false } })) : []),
    ],
  };
}

function stroke(line: Line) {
  return { label: line.name, stroke: color(line.role), ...(line.role === "val" && { dash: DASH }) };
}

/** Dots say where values are while there are few; closer than this they would only hide the dashes. */
function dots(plot: uPlot, { look }: ChartState, line: Line | undefined): boolean {
  const points = line?.series.points ?? [];
  const [first, last] = [points[0], points.at(-1)].map((point) => (point && place(point, look.xAxis)) ?? 0) as [number, number];
  const { min, max } = plot.scales["x"] ?? {};
  const apart = (plot.over.clientWidth * (last - first)) / (((max ?? 1) - (min ?? 0)) * Math.max(points.length - 1, 1));
  return points.length > 0 && points.length <= DOTS_UP_TO && (apart >= DOTS_APART_PX || points.length < 3);
}

function isMeasured(line: Line): boolean {
  return line.series.points.some((point) => point.value !== null);
}

function xRange({ look, total, x }: ChartState, low: number, high: number): [number, number] {
  if (x) return [x[0], x[1]];
  const end = look.xAxis === "step" && total !== null && total > high ? total : high;
  return end > low ? [low, end] : [low - 0.5, low + 0.5];
}

function yShown(plot: uPlot, { state, curves }: Drawn, low: number | null, high: number | null): [number, number] {
  const { x } = plot.scales;
  if (state.y) return [state.y[0], state.y[1]];
  const most = state.look.fit ? middle(valuesIn(curves, [x?.min ?? 0, x?.max ?? 0])) : null;
  return yRange(most ? most[0] : low, most ? most[1] : high, isLog(state));
}
