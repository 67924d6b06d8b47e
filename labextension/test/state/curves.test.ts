import { afterEach, expect, test } from "vitest";
import type { Point } from "../../src/protocol";
import { charts } from "../../src/state/charts";
import { curves, isPositive, isTimed, middle, outside, reading, smoothed } from "../../src/state/curves";
import { lookIn, lookOf } from "../../src/state/look";
import { prefer } from "../../src/state/preferences";
import { append, measured, NO_SERIES } from "../../src/state/series";
import { points } from "../builders";

afterEach(() => prefer({}));

const wave = points("loss", Array.from({ length: 200 }, (_, i) => Math.sin(i / 7) + i / 50));

test("points to come change nothing that was smoothed", () => {
  const all = smoothed(wave, 0.9);
  for (const upTo of [1, 7, 199]) expect(smoothed(wave.slice(0, upTo), 0.9)).toEqual(all.slice(0, upTo));
});

test("the average begins at the first value and not at nought", () => {
  expect(smoothed(points("loss", [5, 5, 5]), 0.99).map((value) => value?.toFixed(9))).toEqual(Array(3).fill("5.000000000"));
  const [, second] = smoothed(points("loss", [1, 2]), 0.5);
  // (0.5 · 0.5 · 1 + 0.5 · 2) / 0.75
  expect(second).toBeCloseTo(5 / 3, 12);
});

test("an average goes on behind a value that is not finite", () => {
  expect(smoothed(points("loss", [1, null, 1]), 0.5)).toEqual([1, null, 1]);
});

function chartOf(...all: Point[]) {
  const [chart] = charts(null, append(NO_SERIES, all));
  if (!chart) throw new Error("a chart");
  return chart;
}

test("the smoothed line stands beside the raw one, at the same places", () => {
  const chart = chartOf(...points("train_loss", [4, 2, null]), ...points("val_loss", [3], 2));
  expect(curves(chart, { ...lookOf({}), smoothing: 0.5 })).toEqual({
    steps: [1, 2, 3],
    xs: [1, 2, 3],
    raw: [
      [4, 2, null],
      [undefined, 3, undefined],
    ],
    smooth: [
      [4, (0.25 * 4 + 0.5 * 2) / 0.75, null],
      [undefined, 3, undefined],
    ],
  });
  expect(curves(chart, lookOf({})).smooth).toEqual([]);
});

test("on the axis of time steps of one moment stay two points, and no spike is lost", () => {
  const at = (step: number, value: number, elapsed: number): Point => ({ name: "loss", step, value, elapsed });
  const chart = chartOf(at(1, 1, 0.5), at(2, 9, 0.5), at(3, 1, 2));
  expect(curves(chart, { ...lookOf({}), xAxis: "time" })).toMatchObject({ xs: [0.5, 0.5, 2], steps: [1, 2, 3], raw: [[1, 9, 1]] });
});

test("a reading is the raw value and the smoothed one, at a step or at the end", () => {
  const [line] = chartOf(...points("loss", [4, 2])).lines;
  if (!line) throw new Error("a line");
  const soft = lookOf({ smoothing: 0.5 });
  const told = [reading(line, soft, null), reading(line, soft, 1), reading(line, lookOf({}), 2), reading(line, soft, 7)];
  expect(told.map((one) => one && [one.point.value, one.smooth])).toEqual([[2, (0.25 * 4 + 0.5 * 2) / 0.75], [4, 4], [2, null], undefined]);
});

test("logarithms and times are had only where every point has one", () => {
  const untimed = points("loss", [1, null]).map(({ elapsed: _, ...point }) => point);
  expect([isPositive(chartOf(...points("loss", [1, null]))), isPositive(chartOf(...points("loss", [1, 0])))]).toEqual([true, false]);
  expect([isTimed(chartOf(...points("loss", [1, 2]))), isTimed(chartOf(...untimed))]).toEqual([true, false]);
});

test("the middle of the values leaves out a hundredth on either side, and says how many", () => {
  const values = Array.from({ length: 201 }, (_, i) => i);
  expect(middle([...values, 1e9])).toEqual([2, 199]);
  expect(outside(values, [2, 198])).toEqual({ above: 2, below: 2 });
  // Of few values every one counts.
  expect([middle([3, 1, 2]), middle([])]).toEqual([[1, 3], null]);
});

test("what was chosen goes before what is preferred, and what was kept is read with care", () => {
  prefer({ smoothing: 0.6, xAxis: "time" });
  expect(lookOf({ xAxis: "step" })).toEqual({ smoothing: 0.6, xAxis: "step", log: false, fit: false });
  expect(lookIn({ smoothing: 2, xAxis: "wall", log: "yes", fit: true, more: 1 })).toEqual({ fit: true });
  expect([lookIn(null), lookIn("x"), lookIn({ smoothing: 0.99 })]).toEqual([{}, {}, { smoothing: 0.99 }]);
});

test("a series of a saved notebook has no times", () => {
  const saved = measured({ loss: { count: 1, points: [{ name: "loss", step: 1, value: 1 }] } });
  expect(charts(null, saved).every(isTimed)).toBe(false);
});
