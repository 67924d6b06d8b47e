import { expect, test } from "vitest";
import type { Job } from "../../src/protocol";
import { type BoardHappening, freshBoard, reduceBoard } from "../../src/state/board";
import { NO_LINK } from "../../src/state/connection";
import { title } from "../../src/state/title";
import { aJob, JOB_ID } from "../builders";

function board(jobs: Partial<Job>[], ...more: BoardHappening[]) {
  const all: BoardHappening[] = [
    { at: 0, kind: "link", link: { ...NO_LINK, phase: "connected", transport: "websocket", heardAt: 0 } },
    { at: 0, kind: "snapshot", jobs: jobs.map((job, i) => aJob({ job_id: i ? `j-${i}` : JOB_ID, name: "mlp", ...job })) },
  ];
  return [...all, ...more].reduce(reduceBoard, freshBoard(0));
}

test("a title tells how the chosen job stands", () => {
  const told = (job: Partial<Job>) => title(board([job]), JOB_ID).replaceAll("\u202f", " ");
  expect(told({ status: "running", progress: 58, estimated_remaining: null })).toBe("◐ mlp 58 % · mlops");
  expect(told({ status: "completed", final_score: 0.98 })).toBe("✓ mlp 0.9800 · mlops");
  expect(told({ status: "completed", final_score: null })).toBe("✓ mlp · mlops");
  expect(told({ status: "failed" })).toBe("✕ mlp failed · mlops");
  expect(told({ status: "cancelled" })).toBe("◼ mlp cancelled · mlops");
});

test("without a job it tells what all come to, and of no number that is not known", () => {
  expect(title(freshBoard(0), null)).toBe("mlops");
  expect(title(freshBoard(0), JOB_ID)).toBe(`${JOB_ID.slice(0, 6)} · mlops`);
  const two = board([{ status: "running", progress: 40 }, { status: "running", progress: 20 }]);
  expect(title(two, null).replaceAll("\u202f", " ")).toBe("◐ 2 running 30 % · mlops");
});

test("a server that is away comes first", () => {
  const link = { ...NO_LINK, phase: "waiting", downSince: 0 } as const;
  const away = board([{ status: "running", progress: 40 }], { at: 0, kind: "link", link }, { at: 9_000, kind: "tick" });
  expect(title(away, JOB_ID)).toBe("✕ mlops: server not reachable");
});
