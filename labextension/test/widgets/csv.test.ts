import { expect, test } from "vitest";
import { table } from "../../src/widgets/csv";

const rows = (name: string, ...values: (number | null)[]) =>
  table([[name, values.map((value, step) => ({ name, step, value, elapsed: 0.5 }))]]).split("\n").slice(1, -1);

test.each(["=cmd|'/C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])("a metric called %j is no formula to a spreadsheet", (name) => {
  const [row] = rows(name, 1);
  expect(row?.replace(/^"/, "")).toMatch(/^'/);
});

test("numbers stay numbers, and what is not finite keeps its kind", () => {
  expect(rows("loss", -1, 0.25)).toEqual(["loss,0,-1,0.5", "loss,1,0.25,0.5"]);
  const points = (["nan", "+inf", "-inf"] as const).map((nf, step) => ({ name: "loss", step, value: null, nf, elapsed: 0 }));
  expect(table([["loss", points]]).split("\n").slice(1, -1)).toEqual(["loss,0,nan,0", "loss,1,inf,0", "loss,2,-inf,0"]);
});

test("a name with commas, quotes and lines is one cell", () => {
  expect(rows('a,"b"\nc', 1).join("\n")).toBe('"a,""b""\nc",0,1,0.5');
});
