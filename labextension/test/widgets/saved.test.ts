import { expect, test } from "vitest";
import { table } from "../../src/widgets/csv";
import { savedJob } from "../../src/widgets/saved";
import { aJob, JOB_ID, points } from "../builders";

test("a saved output is read with its record and its points", () => {
  const record = aJob({ status: "completed" });
  const saved = { version: 1, job_id: JOB_ID, as_of: "2026-11-21T14:02:00Z", record, series: { loss: [[1, 2.5], [2, null, "nan"]] } };
  expect(savedJob(saved)).toEqual({
    version: 1,
    job_id: JOB_ID,
    as_of: "2026-11-21T14:02:00Z",
    record,
    series: {
      loss: [
        { name: "loss", step: 1, value: 2.5 },
        { name: "loss", step: 2, value: null, nf: "nan" },
      ],
    },
  });
});

test("fields that an output lacks are unknown", () => {
  const { job_id, status, stages } = aJob();
  const saved = savedJob({ version: 1, job_id, record: { job_id, status, stages } });
  expect([saved?.record?.candidates, saved?.record?.metrics, saved?.record?.best]).toEqual([[], {}, null]);
});

test.each<[string, unknown]>([
  ["nothing", undefined],
  ["another version", { version: 2, job_id: JOB_ID }],
  ["no id", { version: 1 }],
])("%s is no saved job", (_name, data) => {
  expect(savedJob(data)).toBeNull();
});

test.each<[string, unknown]>([
  ["a record of another job", aJob({ job_id: "j-other" })],
  ["a record without stages", { job_id: JOB_ID, status: "running" }],
  ["no record", "running"],
])("%s is left out, the id stays", (_name, record) => {
  expect(savedJob({ version: 1, job_id: JOB_ID, record, series: { loss: "abc", acc: [["1", 2], [1]] } })).toEqual({
    version: 1,
    job_id: JOB_ID,
    record: null,
    series: {},
  });
});

test("a file of metrics has a row a point, and no formula", () => {
  const rows = table([
    ["loss", points("loss", [2.5, null])],
    ['=cmd("x")', points("x", [1])],
  ]);
  expect(rows).toBe('metric,step,value,elapsed_seconds\nloss,1,2.5,0\nloss,2,nan,1\n"\'=cmd(""x"")",1,1,0\n');
});
