import { describe, expect, test } from "vitest";
import { ranked } from "../../src/state/candidates";
import { charts, notFinite, summary } from "../../src/state/charts";
import { clock, figure, percent, span, timeOfDay } from "../../src/state/figures";
import { append, NO_SERIES } from "../../src/state/series";
import { aCandidate, aJob, points } from "../builders";

test.each([
  [null, "—"],
  [0.97419, "0.9742"],
  [2.6142, "2.614"],
  [-12.3456, "−12.35"],
  [123.456, "123.5"],
  [1234567, "1\u202f234\u202f567"],
  [0.00012345, "1.23e−4"],
  [0, "0.0000"],
])("%s reads %s", (value, text) => {
  expect(figure(value)).toBe(text);
});

test("percentages are never rounded up", () => {
  expect([percent(58.9), percent(99.9)]).toEqual(["58\u202f%", "99\u202f%"]);
});

test("durations", () => {
  expect([clock(6), clock(725), clock(3723), span(0.04), span(10.42), span(192), span(7500)]).toEqual([
    "0:06",
    "12:05",
    "1:02:03",
    "0.04\u202fs",
    "10.4\u202fs",
    "3\u202fmin 12\u202fs",
    "2\u202fh 5\u202fmin",
  ]);
});

test("a time that cannot be read is unknown", () => {
  expect(timeOfDay("yesterday", 0)).toBe("—");
});

describe("charts", () => {
  const series = append(NO_SERIES, [
    ...points("train_loss", [2, 1]),
    ...points("val_accuracy", [0.5, 0.9]),
    ...points("val_loss", [2, null]),
    ...points("accuracy/train", [0.6, 1]),
    ...points("lr", [0.1, 0.1]),
  ]);

  test("training and validation of one metric share a chart; the job's own metric comes first", () => {
    const found = charts(aJob(), series).map(({ title, better, lines }) => [title, better, lines.map((l) => l.name)]);
    expect(found).toEqual([
      ["accuracy", "up", ["accuracy/train", "val_accuracy"]],
      ["loss", "down", ["train_loss", "val_loss"]],
      ["lr", null, ["lr"]],
    ]);
  });

  test("what is not finite is named, with where it began", () => {
    const [accuracy, loss] = charts(aJob(), series);
    if (!accuracy || !loss) throw new Error("two charts");
    expect([notFinite(accuracy, "epoch"), notFinite(loss, "epoch")]).toEqual([null, "NaN from epoch 2"]);
  });

  test("a chart has a sentence for those who do not see it", () => {
    const [accuracy] = charts(aJob(), append(NO_SERIES, points("val_accuracy", [0.5, 0.95, 0.9])));
    if (!accuracy) throw new Error("a chart");
    expect(summary(accuracy, "epoch")).toBe("val_accuracy, 3 points, 0.5000 to 0.9000, highest 0.9500 at epoch 2");
  });
});

test("candidates are ranked in the direction of the metric, those without a score last", () => {
  const candidates = [0.3, null, 0.1].map((mean, index) => aCandidate({ index, mean }));
  const up = ranked(aJob({ candidates }), "Model selection").map((c) => c.index);
  const down = ranked(aJob({ candidates, greater_is_better: false }), "Model selection").map((c) => c.index);
  expect([up, down]).toEqual([[0, 2, 1], [2, 0, 1]]);
});
