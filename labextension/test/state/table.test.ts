import { expect, test } from "vitest";
import { charts } from "../../src/state/charts";
import { append, magnified, NO_SERIES } from "../../src/state/series";
import { MOST_ROWS, pointTable } from "../../src/state/table";
import { points } from "../builders";

const STEPS = { xAxis: "step" } as const;

function chartOf(...measured: ReturnType<typeof points>[]) {
  const [chart] = charts(null, append(NO_SERIES, measured.flat()));
  if (!chart) throw new Error("no chart");
  return chart;
}

test("a row a step, with all digits, and names for what is not finite", () => {
  const train = points("train_loss", [0.123456789, null, -2e-9]);
  const other = [{ name: "val_loss", step: 2, value: null, nf: "+inf" as const }, { name: "val_loss", step: 4, value: 7 }];
  expect(pointTable(chartOf(train, other), STEPS, null)).toEqual({
    names: ["train_loss", "val_loss"],
    rows: [
      { step: 1, values: ["0.123456789", null] },
      { step: 2, values: ["NaN", "∞"] },
      { step: 3, values: ["−2e−9", null] },
      { step: 4, values: [null, "7"] },
    ],
    shown: 5,
    count: 5,
  });
});

test("of more steps than anybody reads, no spike is lost and each row has the values of all lines", () => {
  const values = Array.from({ length: 1_900 }, (_, i) => (i === 777 ? 99 : Math.sin(i)));
  const table = pointTable(chartOf(points("train_loss", values), points("val_loss", values)), STEPS, null);
  const full = table.rows.filter((row) => row.values.every((value) => value !== null)).length;
  expect([table.rows.length <= MOST_ROWS, full === table.rows.length, table.count]).toEqual([true, true, 3_800]);
  expect(table.rows.find(({ step }) => step === 778)?.values).toEqual(["99", "99"]);
});

test("the part that is looked at, and how many there are where somebody knows", () => {
  const held = append(NO_SERIES, points("loss", Array.from({ length: 5_000 }, (_, i) => i)));
  const [reduced] = charts(null, held);
  const near = new Map([["loss", { count: 3, points: points("loss", [1, 2, 3], 100) }]]);
  const [magnifiedChart] = charts(null, magnified(held, { from: 100, to: 102, series: near }));
  if (!reduced || !magnifiedChart) throw new Error("no chart");
  expect(pointTable(reduced, STEPS, [100, 102]).count).toBe(null);
  expect(pointTable(magnifiedChart, STEPS, [100, 102])).toEqual({
    names: ["loss"],
    rows: [100, 101, 102].map((step, i) => ({ step, values: [String(i + 1)] })),
    shown: 3,
    count: 3,
  });
  expect(pointTable(chartOf(points("loss", [5, 6, 7])), { xAxis: "time" }, [1, 1])).toMatchObject({ rows: [{ step: 2, values: ["6"] }], count: 1 });
});
