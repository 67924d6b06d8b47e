import { describe, expect, test } from "vitest";
import type { AlertRaised, DriftRaised, SystemMetrics } from "../../src/protocol";
import { type Board, freshBoard, MOST_JOBS, reduceBoard } from "../../src/state/board";
import { NO_LINK } from "../../src/state/connection";
import { machine, size } from "../../src/state/machine";
import { endedIn, grouped, ofAlerts, ofDrift, ofHealth, ofJobs } from "../../src/state/notices";
import { rows, summary } from "../../src/state/rows";
import { aJob, JOB_ID, progressed, TIME } from "../builders";

const NOW = Date.parse(TIME);
const LIVE = { ...NO_LINK, phase: "connected", transport: "websocket", rtt: 0.01, heardAt: NOW, skew: 0 } as const;

function aBoard(...jobs: ReturnType<typeof aJob>[]): Board {
  const connected = reduceBoard(freshBoard(NOW), { at: NOW, kind: "link", link: LIVE });
  return reduceBoard(connected, { at: NOW, kind: "snapshot", jobs });
}

function aSample(fields: Partial<SystemMetrics> = {}): SystemMetrics {
  return {
    type: "system_metrics",
    time: TIME,
    seq: null,
    priority: "low",
    cpu_percent: 38.4,
    cpus: 2,
    cpu_scope: "container",
    memory_percent: 17.4,
    memory_used: 4.1 * 2 ** 30,
    memory_limit: 23.5 * 2 ** 30,
    memory_scope: "container",
    host: { cpu_percent: 5, cpus: 64, memory_percent: 50, memory_used: 2 ** 37, memory_limit: 2 ** 38 },
    health: "healthy",
    levels: { cpu: "healthy", memory: "healthy", disk: "healthy" },
    disk_percent: 61,
    disk_used: 61 * 2 ** 30,
    disk_limit: 100 * 2 ** 30,
    active_connections: 1,
    network: null,
    process_count: 100,
    uptime: 1000,
    load_average: [1.24, 1, 1],
    api_response_ms: null,
    ws_response_ms: null,
    gpu: [],
    jobs: [],
    kernels: [],
    ...fields,
  };
}

function sampled(board: Board, at: number, fields: Partial<SystemMetrics> = {}): Board {
  const sample = aSample({ time: new Date(at).toISOString(), ...fields });
  return reduceBoard(board, { at, kind: "latest", events: [sample] });
}

describe("jobs", () => {
  test("one that is deleted is a row no more, also when all of it is replayed", () => {
    const deleted = { type: "job_deleted", time: TIME, seq: 6, priority: "low", job_id: JOB_ID, name: "", status: "failed", attempt: 1, model_id: null, by: "ada" } as const;
    const job = aJob({ status: "cancelled" });
    const ended = { type: "training_cancelled", time: TIME, seq: 5, priority: "medium", job_id: JOB_ID, status: "cancelled", by: "ada", job } as const;
    for (const board of [aBoard(aJob({ status: "failed" })), aBoard()]) {
      expect(reduceBoard(board, { at: NOW, kind: "events", events: [ended, deleted] }).jobs.size).toBe(0);
    }
  });

  test("a snapshot, whole records and moves make the board", () => {
    const moved = reduceBoard(aBoard(aJob()), { at: NOW, kind: "events", events: [progressed(5, { progress: 70 })] });
    expect(moved.jobs.get(aJob().job_id)?.progress).toBe(70);
    const other = aJob({ job_id: "j-other0000000", submitted_time: "2026-11-21T14:03:00Z" });
    const base = { time: TIME, seq: 6, priority: "low" } as const;
    const both = reduceBoard(moved, {
      at: NOW,
      kind: "events",
      events: [{ type: "training_queued", ...base, job_id: other.job_id, ahead: 0, job: other }],
    });
    expect(rows(both).open.map((row) => row.id)).toEqual([other.job_id, aJob().job_id]);
    expect(reduceBoard(both, { at: NOW, kind: "reset" }).jobs.size).toBe(0);
  });

  test("an answer that was on its way takes nothing back", () => {
    const moved = reduceBoard(aBoard(aJob()), { at: NOW, kind: "events", events: [progressed(5, { progress: 70 })] });
    const older = aJob({ job_id: "j-older0000000", submitted_time: "2026-11-21T13:00:00Z" });
    const both = reduceBoard(moved, { at: NOW, kind: "answered", jobs: [aJob({ progress: 10 }), older] });
    expect([...both.jobs.values()].map((job) => job.progress)).toEqual([older.progress, 70]);
    expect(both.known).toBe(true);
  });

  test("a move of a job nobody knows says nothing", () => {
    const board = aBoard();
    expect(reduceBoard(board, { at: NOW, kind: "events", events: [progressed(5)] }).jobs).toBe(board.jobs);
  });

  function queued(board: Board): Board {
    const late = aJob({ job_id: "j-late00000000", status: "queued" });
    const base = { time: TIME, seq: 6, priority: "low" } as const;
    const event = { type: "training_queued", ...base, job_id: late.job_id, ahead: 0, job: late } as const;
    return reduceBoard(board, { at: NOW, kind: "events", events: [event] });
  }

  test("there are never more than a person looks through: the oldest that are over leave", () => {
    // As a snapshot has them, the newest first.
    const over = Array.from({ length: MOST_JOBS - 1 }, (_, i) => aJob({ job_id: `j-over${i}`, status: "completed" }));
    const next = queued(aBoard(aJob({ job_id: "j-newest" }), ...over));
    expect(next.jobs.size).toBe(MOST_JOBS);
    const oldest = `j-over${MOST_JOBS - 2}`;
    expect(["j-late00000000", "j-newest", "j-over0", oldest].map((id) => next.jobs.has(id))).toEqual([true, true, true, false]);
  });

  test("none of those that are not over leaves: a queue may hold more", () => {
    const waiting = Array.from({ length: MOST_JOBS + 50 }, (_, i) => aJob({ job_id: `j-${i}`, status: "queued" }));
    expect(queued(aBoard(...waiting)).jobs.size).toBe(MOST_JOBS + 51);
  });

  test("rows of records that cannot be read say so", () => {
    const listed = rows(aBoard(aJob({ unreadable: true }), aJob({ job_id: "j-other0000000", status: "completed", unreadable: true })));
    expect([...listed.open, ...listed.over].map((row) => row.figures)).toEqual(["record unreadable", "record unreadable"]);
  });

  test("rows say how far, how good, or why not", () => {
    const ended = { end_time: TIME, elapsed_time: 9 } as const;
    const board = reduceBoard(
      aBoard(
        aJob(),
        aJob({ job_id: "j-queued", status: "queued", ahead: 2, progress: null, submitted_time: "2026-11-21T14:01:00Z" }),
        aJob({ job_id: "j-done", status: "completed", final_score: 0.98, ...ended }),
        aJob({ job_id: "j-failed", status: "failed", error: "ValueError: no\nmore", submitted_time: "2026-11-21T13:00:00Z", ...ended }),
      ),
      { at: NOW + 120_000, kind: "tick" },
    );
    const found = rows(board);
    expect(found.open.map(({ mark, figures }) => [mark, figures])).toEqual([
      ["running", "58\u202f% ~0:04"],
      ["queued", "queued, 2 ahead"],
    ]);
    expect(found.over.map(({ mark, figures, note }) => [mark, figures, note])).toEqual([
      ["done", "0.9800", "9.0\u202fs · 2\u202fmin ago"],
      ["failed", "failed", "ValueError: no · 9.0\u202fs · 2\u202fmin ago"],
    ]);
    expect(rows(board, "FAILED digits").over.map((row) => row.id)).toEqual(["j-failed"]);
    expect(rows(board, "nobody").over).toEqual([]);
  });
});

describe("the item of the status bar", () => {
  test.each([
    [[], "mlops"],
    [[aJob({ name: "mlp" })], "mlp 58\u202f% ~0:04"],
    [[aJob({ name: "a name much longer than there is room for" })], "a name much longer… 58\u202f% ~0:04"],
    [[aJob(), aJob({ job_id: "j-2", progress: 20 })], "2 running 39\u202f%"],
    [[aJob(), aJob({ job_id: "j-2", status: "queued", progress: null })], "1 running 58\u202f%, 1 queued"],
    [[aJob({ status: "completed" })], "mlops"],
    [[aJob({ name: "m", estimated_remaining: 5 * 3600 + 120, status: "running" })], "m 58\u202f% ~5\u202fh 2\u202fmin"],
  ])("%#", (jobs, text) => {
    const said = summary(aBoard(...jobs));
    expect(said).toEqual({ text, trouble: false });
    // The mark before it and a space are two of 32.
    expect(said.text.length).toBeLessThanOrEqual(30);
  });

  test("says when there is no server", () => {
    const waiting = { ...LIVE, phase: "waiting", transport: null, downSince: NOW, attempt: 3 } as const;
    const lost = reduceBoard(aBoard(aJob()), { at: NOW, kind: "link", link: waiting });
    const gone = reduceBoard(lost, { at: NOW + 40_000, kind: "tick" });
    expect(summary(gone)).toEqual({ text: "mlops: server not reachable", trouble: true });
  });
});

describe("the feed", () => {
  function aRow(seq: number) {
    const activity = { id: `a-${seq}`, kind: "job", subject: "j-1", title: "t", description: "", status: "info", timestamp: TIME } as const;
    return { type: "activity_update", time: TIME, seq, priority: "low", activity } as const;
  }

  test("has each row once, whichever way it came, the newest first", () => {
    const live = reduceBoard(aBoard(), { at: NOW, kind: "events", events: [aRow(5), aRow(7)] });
    const both = reduceBoard(live, { at: NOW, kind: "feed", rows: [aRow(7), aRow(5), aRow(3)] });
    expect(both.feed.map((row) => row.seq)).toEqual([7, 5, 3]);
    const many = Array.from({ length: 300 }, (_, i) => aRow(i + 10));
    const full = reduceBoard(both, { at: NOW, kind: "events", events: many });
    expect([full.feed.length, full.feed[0]?.seq]).toEqual([200, 309]);
    expect(reduceBoard(full, { at: NOW, kind: "reset" }).feed).toEqual([]);
  });
});

describe("the machine", () => {
  test("its lines begin before the page did, each sample once", () => {
    const at = (seconds: number, cpu: number) => ({ ...aSample({ cpu_percent: cpu }), time: new Date(NOW + 1000 * seconds).toISOString() });
    const board = sampled(sampled(aBoard(), NOW, { cpu_percent: 3 }), NOW + 5_000, { cpu_percent: 4 });
    const past = [at(-10, 1), at(-5, 2), at(0, 3)];
    expect(machine(reduceBoard(board, { at: NOW, kind: "machine", thresholds: {}, past }))?.gauges[0]?.line).toEqual([1, 2, 3, 4]);
  });

  test("its lines have a tick at each threshold that can be reached, once it is known", () => {
    const ticks = (board: Board) => machine(board)?.gauges.map((gauge) => gauge.ticks);
    const unknown = sampled(aBoard(), NOW);
    expect(ticks(unknown)).toEqual([[], [], []]);
    const thresholds = { cpu: { warning: 75, critical: 1000 }, memory: { warning: 75, critical: 90 } };
    expect(ticks(reduceBoard(unknown, { at: NOW, kind: "machine", thresholds, past: [] }))).toEqual([[75], [75, 90], []]);
  });

  test("each figure says whose it is, and nothing is said of what is old", () => {
    expect(machine(aBoard())).toBeNull();
    const board = sampled(aBoard(), NOW);
    expect(machine(board)?.gauges.map(({ name, percent, figures, whose }) => [name, percent, figures, whose])).toEqual([
      ["CPU", "38\u202f%", "2 CPUs", "container"],
      ["Memory", "17\u202f%", "4.1 of 23.5\u202fGiB", "container"],
      ["Disk", "61\u202f%", "61.0 of 100.0\u202fGiB", "data folder"],
    ]);
    expect(machine(board)?.more).toEqual([
      "Host: CPU 5\u202f% of 64 · memory 128.0 of 256.0\u202fGiB · load 1.2 of 64 CPUs · up 17\u202fmin",
      "Server: 1 connection · sees 100 processes",
    ]);
    const gpu = [{ name: "T4", percent: 7, memory_used: 1, memory_limit: 2 }] as unknown as SystemMetrics["gpu"];
    const whole = { cpu_scope: "host", memory_scope: "host", gpu, network: { received: 2048, sent: 3 }, api_response_ms: 2.54, ws_response_ms: 38.2 } as const;
    expect(machine(sampled(board, NOW, whole))?.more).toEqual([
      "T4 7\u202f%, 1 of 2\u202fB",
      "Host: load 1.2 of 64 CPUs · up 17\u202fmin",
      "Server: 1 connection · answers in 2.5\u202fms · sockets in 38\u202fms · sees 100 processes · network 2.0\u202fKiB/s in, 3\u202fB/s out",
    ]);
    expect(machine(reduceBoard(board, { at: NOW + 31_000, kind: "tick" }))).toBeNull();
  });

  test("a strip has one figure of each, whose they are once where all are of one, and how often it is told", () => {
    const strip = (board: Board) => {
      const known = machine(board);
      return [known?.gauges.map(({ brief }) => brief), known?.brief, known?.whose, known?.every];
    };
    const one = sampled(aBoard(), NOW);
    expect(strip(one)).toEqual([["38\u202f%", "4.1/23.5\u202fGiB", "61\u202f%"], ["Load 1.2/64 host"], "container", null]);
    const gpu = [{ name: "T4", percent: 7, memory_used: 1, memory_limit: 2 }] as unknown as SystemMetrics["gpu"];
    const two = sampled(one, NOW + 5_000, { cpu_scope: "host", memory_limit: null, load_average: null, gpu });
    expect(strip(two)).toEqual([["38\u202f%", "4.1\u202fGiB", "61\u202f%"], ["T4 7\u202f%"], null, 5]);
  });

  test("what was not measured is no number and a gap", () => {
    const board = sampled(sampled(aBoard(), NOW), NOW + 5_000, { cpu_percent: null, cpus: null });
    const cpu = machine(board)?.gauges[0];
    expect([cpu?.percent, cpu?.figures, cpu?.line]).toEqual(["—", "— CPUs", [38.4, null]]);
  });

  test("five minutes are kept", () => {
    const board = [...Array(100).keys()].reduce((before, i) => sampled(before, NOW + i * 5_000), aBoard());
    expect(board.samples).toHaveLength(60);
  });

  test("what a job takes stands in its row while it is at work, and no old figure does", () => {
    const jobs = [{ id: JOB_ID, cpu_percent: 398, memory: 420 * 2 ** 20, peak: 2 ** 30, processes: 5 }];
    const board = sampled(aBoard(aJob()), NOW, { jobs });
    const note = (of: Board) => [...rows(of).open, ...rows(of).over].map((row) => row.note);
    expect(note(board)).toEqual(["CPU 398\u202f% · 420\u202fMiB, peak 1.0\u202fGiB"]);
    expect(note(sampled(board, NOW, { jobs: [{ ...jobs[0]!, cpu_percent: null }] }))).toEqual(["420\u202fMiB, peak 1.0\u202fGiB"]);
    const nothing = { cpu_percent: null, memory: null, peak: null };
    expect(note(sampled(board, NOW, { jobs: [{ ...jobs[0]!, ...nothing }] }))).toEqual([""]);
    expect(note(reduceBoard(board, { at: NOW + 31_000, kind: "tick" }))).toEqual([""]);
    expect(note(sampled(board, NOW + 5_000))).toEqual([""]);
  });

  test("sizes", () => {
    expect([0, 999, 2048, 310 * 2 ** 20, null].map(size)).toEqual(["0\u202fB", "999\u202fB", "2.0\u202fKiB", "310\u202fMiB", "—"]);
  });
});

describe("notices", () => {
  const running = aBoard(aJob());

  function ends(fields: Parameters<typeof aJob>[0]) {
    return ofJobs(running, aBoard(aJob(fields)), new Set());
  }

  test("a job that took long interrupts, a short one does not", () => {
    const done = { status: "completed", final_score: 0.974, metric: "accuracy" } as const;
    expect(ends({ ...done, elapsed_time: 11 })).toEqual([
      { kind: "success", text: "digits-mlp finished: accuracy 0.9740", jobId: aJob().job_id, toast: true },
    ]);
    expect(ends({ ...done, elapsed_time: 9 })[0]?.toast).toBe(false);
  });

  test("a failure says why in at most 90 characters", () => {
    const [notice] = ends({ status: "failed", error: `ValueError: ${"x".repeat(200)}\nmore`, name: "n".repeat(300) });
    expect([notice?.kind, notice?.toast, notice?.text.length]).toEqual(["error", true, 90]);
    expect(ends({ status: "lost", reason: "lost" })[0]?.text).toBe("digits-mlp lost: The job's processes are gone and left no word.");
  });

  test("what somebody stopped, and what was over before, is no news", () => {
    expect(ends({ status: "cancelled" })).toEqual([]);
    const over = aBoard(aJob({ status: "failed" }));
    expect(ofJobs(over, over, new Set([aJob().job_id]))).toEqual([]);
    expect(ofJobs(aBoard(), over, new Set())).toEqual([]);
  });

  test("a job that began and ended while the page was cut off is news", () => {
    const job = aJob({ status: "failed", error: "no such column" });
    const other = aJob({ job_id: "j-other" });
    const told = endedIn([
      { type: "training_failed", time: TIME, seq: 5, priority: "high", job_id: job.job_id, status: "failed", reason: "error", error: job.error, traceback: null, log_lines: [], stage: null, job },
      { type: "training_started", time: TIME, seq: 6, priority: "low", job_id: other.job_id, job: other },
    ]);
    expect(told).toEqual([job.job_id]);
    expect(ofJobs(aBoard(), aBoard(job), new Set(told)).map((notice) => notice.text)).toEqual(["digits-mlp failed: no such column"]);
  });

  test("an alert is in the list, and interrupts nobody", () => {
    const raised = { type: "alert_raised", job_id: JOB_ID, message: "train_loss is NaN at epoch 12.", job: aJob() } as AlertRaised;
    expect(ofAlerts([raised])).toEqual([
      { kind: "warning", text: "digits-mlp: train_loss is NaN at epoch 12.", jobId: JOB_ID, toast: false },
    ]);
  });

  test("drift is in the list, with how far the column is from its training rows", () => {
    const raised = { type: "drift_raised", model_id: "m-1", name: "churn", version: 3, column: "island", level: "drift", psi: 2.614 } as DriftRaised;
    const long = { ...raised, name: "n".repeat(300), column: "c".repeat(300) };
    const [told, begins, cut] = ofDrift([raised, { ...raised, level: "warning" }, long]);
    expect(told).toEqual({ kind: "warning", text: 'churn v3: "island" is unlike its training rows, PSI 2.614', jobId: "m-1", toast: false });
    expect(begins?.text).toBe('churn v3: "island" begins to differ, PSI 2.614');
    expect([(cut?.text.length ?? 99) <= 90, cut?.text.endsWith("PSI 2.614")]).toEqual([true, true]);
  });

  test("those of a minute that may not interrupt any more are one: how many, and of what", () => {
    const [done] = ends({ status: "completed", elapsed_time: 11 });
    const [lost] = ends({ status: "lost" });
    if (!done || !lost) throw new Error("no notice");
    const server = { kind: "warning", text: "away", jobId: null, toast: true } as const;
    expect([grouped([done]), grouped([done, lost, done, server])]).toEqual([
      { kind: "success", text: "1 more in this minute: 1 finished", jobId: null, toast: false },
      { kind: "error", text: "4 more in this minute: 2 finished, 1 failed or lost, 1 of the machine or the server", jobId: null, toast: false },
    ]);
  });

  test("the machine interrupts when it is critical", () => {
    const change = { type: "health_change", time: TIME, machine: "ada", seq: 3, previous_health: "warning", metrics: {} } as const;
    const critical = { ...change, priority: "high", current_health: "critical", cause: "memory 93 %" } as const;
    const busy = { ...change, priority: "medium", current_health: "critical", cause: "cpu 99 %" } as const;
    const calm = { ...change, priority: "medium", current_health: "healthy", cause: "cpu 9 %" } as const;
    expect(ofHealth([critical, busy, calm])).toEqual([
      { kind: "error", text: "The machine is critical: memory 93 %", jobId: null, toast: true },
      { kind: "warning", text: "The machine is under load: cpu 99 %", jobId: null, toast: false },
    ]);
  });
});
