import { expect, test } from "vitest";
import type { Point } from "../../src/protocol";
import { append, MOST_POINTS, measured, NO_SERIES, reduced } from "../../src/state/series";
import { points } from "../builders";

test("points are kept by name, in the order of their steps", () => {
  const series = append(NO_SERIES, [...points("val", [2, 3], 2), ...points("train", [1]), ...points("val", [1])]);
  expect([...series]).toEqual([
    ["val", { count: 3, points: points("val", [1, 2, 3]).map((p, i) => ({ ...p, elapsed: [0, 0, 1][i] })) }],
    ["train", { count: 1, points: points("train", [1]) }],
  ]);
});

test("a step that is told again is one point", () => {
  const once = append(NO_SERIES, points("val", [1, 2, 3]));
  expect(append(once, points("val", [20, 3], 2)).get("val")).toEqual({
    count: 3,
    points: [...points("val", [1]), ...points("val", [20, 3], 2)],
  });
});

test("a value that is not finite stays a gap", () => {
  const [gap] = append(NO_SERIES, [{ name: "loss", step: 1, value: null, nf: "+inf" }]).get("loss")?.points ?? [];
  expect(gap).toEqual({ name: "loss", step: 1, value: null, nf: "+inf" });
});

test("a metric may be called anything", () => {
  const series = append(NO_SERIES, points("__proto__", [1]));
  expect([...series.keys()]).toEqual(["__proto__"]);
});

test("three spikes among a hundred thousand points are all kept, and so is the count", () => {
  const spikes = [12_345, 50_000, 99_998];
  const many: Point[] = Array.from({ length: 100_000 }, (_, i) => ({
    name: "loss",
    step: i + 1,
    value: spikes.includes(i) ? 100 : Math.sin(i / 999),
  }));
  let series = NO_SERIES;
  for (let at = 0; at < many.length; at += 500) series = append(series, many.slice(at, at + 500));
  const loss = series.get("loss");
  expect({
    spikes: loss?.points.filter((point) => point.value === 100).map((point) => point.step),
    count: loss?.count,
    last: loss?.points.at(-1)?.step,
    bounded: (loss?.points.length ?? 0) <= MOST_POINTS,
  }).toEqual({ spikes: spikes.map((i) => i + 1), count: 100_000, last: 100_000, bounded: true });
});

test("a range keeps its first, lowest, highest and not finite point", () => {
  const range = points("loss", [5, 1, 9, null, 4, 4, 3]);
  expect(reduced(range, 1).map((point) => point.value)).toEqual([5, 1, 9, null, 3]);
});

test("an answer of the server is taken as it is, with how many points there were", () => {
  expect(measured({ loss: { count: 900, points: points("loss", [3, 2]) } }).get("loss")).toEqual({
    count: 900,
    points: points("loss", [3, 2]),
  });
});
