import { describe, expect, test } from "vitest";
import type { Event, Job } from "../../src/protocol";
import { type Card, freshCard, type Happening, reduce } from "../../src/state/card";
import { canDelete, headline } from "../../src/state/face";
import { aCandidate, aJob, anEvent, aStage, JOB_ID, metricPoints, points, progressed, stagesAt, TIME } from "../builders";

function cardWith(job: Partial<Job> = {}): Card {
  return reduce(freshCard(JOB_ID, "server", 0), { kind: "record", at: 0, job: aJob(job), head: 10 });
}

function after(card: Card, ...happenings: Happening[]): Card {
  return happenings.reduce(reduce, card);
}

function values(card: Card, name: string): (number | null)[] | undefined {
  return card.series.get(name)?.points.map((point) => point.value);
}

describe("the record", () => {
  test("progress events change what they speak of, and nothing else", () => {
    const stage = aStage({ name: "Training model", state: "running", done: 24, total: 40, unit: "epoch" });
    const next = after(cardWith(), { kind: "events", at: 5, events: [progressed(11, { stage, live_metrics: { val_accuracy: 0.97 } })] });
    expect(next.job).toEqual(
      aJob({
        progress: 60,
        elapsed_time: 7,
        estimated_remaining: 3,
        live_metrics: { val_accuracy: 0.97 },
        stages: stagesAt(4, { done: 23, total: 40, unit: "epoch" }).map((s) => (s.name === stage.name ? stage : s)),
      }),
    );
  });

  test("a whole record in an event replaces the one before", () => {
    const whole = aJob({ status: "completed", progress: 100, final_score: 0.974 });
    const next = after(cardWith(), { kind: "events", at: 5, events: [progressed(11, { job: whole })] });
    expect(next.job).toEqual(whole);
  });

  test("progress never goes back within an attempt", () => {
    const next = after(cardWith({ progress: 58 }), { kind: "events", at: 5, events: [progressed(11, { progress: 40 })] });
    const again = after(next, { kind: "events", at: 6, events: [progressed(12, { job: aJob({ attempt: 2, progress: 3 }) })] });
    expect([next.job?.progress, again.job?.progress]).toEqual([58, 3]);
  });

  test("events of other jobs, and those the record already stands for, change nothing", () => {
    const card = cardWith();
    const next = after(card, {
      kind: "events",
      at: 5,
      events: [progressed(9, { progress: 99 }), progressed(11, { job_id: "j-other", progress: 99 })],
    });
    expect(next.job).toEqual(card.job);
  });

  test("candidates are put in place of what was known of them", () => {
    const half = aCandidate({ scores: [0.9, null, null], mean: 0.9 });
    const other = aCandidate({ index: 1, label: "rf" });
    const folds = aCandidate({ stage: "Model validation" });
    const next = after(cardWith({ candidates: [aCandidate(), other] }), {
      kind: "events",
      at: 5,
      events: [
        {
          type: "candidate_scores",
          time: "",
          seq: 11,
          priority: "low",
          job_id: JOB_ID,
          candidates: [half, folds],
        },
      ],
    });
    expect(next.job?.candidates).toEqual([half, other, folds]);
  });

  test("a job that is over does not rise again from an answer that was on its way", () => {
    const over = cardWith({ status: "completed" });
    expect(after(over, { kind: "record", at: 5, job: aJob({ status: "stopping" }) }).job?.status).toBe("completed");
  });
});

describe("the series", () => {
  const answered = (head: number, ...said: number[]): Happening => ({
    kind: "answered",
    at: 1,
    job: { head, job: aJob() },
    metrics: { head, series: { loss: { count: said.length, points: points("loss", said) } } },
  });

  test("points the answer stands for are not doubled by their events", () => {
    const next = after(
      cardWith(),
      { kind: "asked", at: 0 },
      { kind: "events", at: 1, events: [metricPoints(11, ...points("loss", [3])), metricPoints(12, ...points("loss", [2], 2))] },
      answered(12, 3, 2),
      { kind: "events", at: 2, events: [metricPoints(12, ...points("loss", [2], 2)), metricPoints(13, ...points("loss", [1], 3))] },
    );
    expect(next.series.get("loss")).toEqual({
      count: 3,
      points: [...points("loss", [3, 2]), ...points("loss", [1], 3)],
    });
  });

  test("points that came while the question was on its way are not lost", () => {
    const next = after(
      cardWith(),
      { kind: "asked", at: 0 },
      { kind: "events", at: 1, events: [metricPoints(11, ...points("loss", [3])), metricPoints(12, ...points("loss", [2], 2))] },
      answered(11, 3),
    );
    expect([values(next, "loss"), next.seriesHead, next.asked]).toEqual([[3, 2], 12, null]);
  });

  test("an answer that never came leaves what was known", () => {
    const next = after(
      cardWith(),
      { kind: "events", at: 1, events: [metricPoints(11, ...points("loss", [3]))] },
      { kind: "asked", at: 1 },
      { kind: "unanswered", at: 2 },
    );
    expect(values(next, "loss")).toEqual([3]);
  });

  test("after a reset, numbers of the new store count from its own beginning", () => {
    const next = after(
      cardWith(),
      { kind: "reset", at: 1 },
      { kind: "events", at: 2, events: [progressed(2, { progress: 70 })] },
    );
    expect(next.job?.progress).toBe(70);
  });
});

describe("a job that is deleted", () => {
  const deleted: Event = { type: "job_deleted", time: TIME, seq: 12, priority: "low", job_id: JOB_ID, name: "digits-mlp", status: "completed", attempt: 1, model_id: null, by: "ada" };
  const known = reduce(freshCard(JOB_ID, "server", 0), { kind: "record", at: 0, job: aJob({ status: "completed" }), head: 11 });

  test("leaves what was known of it, and nothing that could be asked", () => {
    const card = reduce(known, { kind: "events", at: 1, events: [deleted] });
    expect(card).toMatchObject({ deleted: "ada", source: "kernel", job: { status: "completed" } });
    expect([canDelete(known), canDelete(card), headline(card).word]).toEqual([true, false, "Deleted"]);
  });

  test("does not come back with an answer that was on its way, nor by a replay of what it did", () => {
    const card = reduce(known, { kind: "deleted", at: 1, by: "ada" });
    const answer = { job: { head: 11, job: aJob({ status: "completed" }) }, metrics: { head: 11, series: {} } };
    expect(reduce(card, { kind: "answered", at: 2, ...answer })).toMatchObject({ deleted: "ada", source: "kernel" });
    const replayed = reduce(freshCard(JOB_ID, "server", 0), { kind: "events", at: 1, events: [progressed(10), deleted] });
    expect(replayed.deleted).toBe("ada");
  });
});

test("log lines are kept once, in order", () => {
  const next = after(
    cardWith(),
    { kind: "events", at: 1, events: [anEvent(11), anEvent(12)] },
    { kind: "written", at: 2, first: 12, lines: ["line 12", "line 13"] },
  );
  expect(next.log).toEqual({ first: 11, lines: ["line 11", "line 12", "line 13"] });
});
