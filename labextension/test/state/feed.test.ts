import { expect, test } from "vitest";
import type { ActivityUpdate } from "../../src/protocol";
import { collapsed } from "../../src/state/feed";

function aRow(n: number, title: string, subject: string | null = null, kind: "job" | "machine" = "machine"): ActivityUpdate {
  const timestamp = `2026-11-21T14:00:0${n}Z`;
  const activity = { id: `a-${n}`, kind, subject, title, description: `Cause ${n}`, status: "warning", timestamp } as const;
  return { type: "activity_update", time: timestamp, seq: n, priority: "low", activity };
}

test("neighbours that say the same of the same are one row, with the newest words and how often", () => {
  const rows = [
    aRow(7, "Under load"),
    aRow(6, "Under load"),
    aRow(5, "Under load"),
    aRow(4, "Started", "j-1", "job"),
    aRow(3, "Started", "j-2", "job"),
    aRow(2, "Under load"),
  ];
  expect(collapsed(rows).map(({ newest, times, since }) => [newest.seq, times, since.slice(-3)])).toEqual([
    [7, 3, "05Z"],
    [4, 1, "04Z"],
    [3, 1, "03Z"],
    [2, 1, "02Z"],
  ]);
});

test("there is nothing to collapse in nothing", () => {
  expect(collapsed([])).toEqual([]);
});
