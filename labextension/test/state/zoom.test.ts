import { expect, test } from "vitest";
import { magnified, measured, type Part } from "../../src/state/series";
import { along, around, zoomed } from "../../src/state/zoom";
import { points } from "../builders";

test("what is at the centre stays there, and no part reaches beyond all", () => {
  expect(zoomed(null, [0, 100], 25, 0.5, 1)).toEqual([12.5, 62.5]);
  expect(zoomed([0, 50], [0, 100], 50, 0.5, 1)).toEqual([25, 50]);
  // Further out at the end of all: moved inside.
  expect(zoomed([80, 100], [0, 100], 80, 2, 1)).toEqual([60, 100]);
  expect(zoomed([25, 75], [0, 100], 50, 2, 1)).toBe(null);
  expect(zoomed([10, 11], [0, 100], 10, 0.5, 1)).toEqual([10, 11]);
});

test("a part moves no further than it must", () => {
  expect([along([20, 40], [0, 100], 45), along([20, 40], [0, 100], 30), along([20, 40], [0, 100], 0)]).toEqual([[25, 45], [20, 40], [0, 20]]);
});

test("a part is asked for with a step on either side, since lines lead there", () => {
  const rows = [1, 5, 9, 13].map((step) => ({ step, x: step / 10 }));
  expect([around(rows, [0.6, 0.8]), around(rows, [0, 2]), around(rows, [0.5, 0.9])]).toEqual([
    { from: 5, to: 9 },
    { from: 1, to: 13 },
    { from: 5, to: 9 },
  ]);
});

test("a part from near stands among the points of the whole, and what came later behind it", () => {
  const all = measured({ loss: { count: 900, points: [1, 300, 600, 900].map((step) => ({ name: "loss", step, value: step })) } });
  const part = (from: number, to: number, last: number): Part => ({
    ...{ from, to },
    series: measured({ loss: { count: 300, points: [from, 450, last].map((step) => ({ name: "loss", step, value: step })) } }),
  });
  const steps = (part: Part | null) => magnified(all, part).get("loss")?.points.map(({ step }) => step);
  expect([steps(null), steps(part(300, 600, 600)), steps(part(300, 900, 700))]).toEqual([
    [1, 300, 600, 900],
    [1, 300, 450, 600, 900],
    [1, 300, 450, 700, 900],
  ]);
  expect(magnified(all, part(300, 600, 600)).get("loss")).toMatchObject({ count: 900, near: { shown: 3, count: 300 } });
});

test("a series that is whole needs nothing from near", () => {
  const all = measured({ loss: { count: 3, points: points("loss", [1, 2, 3]) } });
  const part: Part = { from: 1, to: 3, series: measured({ loss: { count: 3, points: points("loss", [1]) } }) };
  expect(magnified(all, part)).toEqual(all);
});
