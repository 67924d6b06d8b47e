import { describe, expect, test } from "vitest";
import type { Job } from "../../src/protocol";
import { type Card, freshCard, reduce } from "../../src/state/card";
import { type Link, NO_LINK } from "../../src/state/connection";
import { elapsed, isLengthUnknown, left, rounded, staleFor } from "../../src/state/times";
import { aJob, JOB_ID, progressed, stagesAt } from "../builders";

const LIVE: Link = { ...NO_LINK, phase: "connected", transport: "websocket", heardAt: 0 };

/** A card whose record came at 0 ms, looked at `seconds` later. */
function later(seconds: number, job: Partial<Job> = {}, link: Partial<Link> = {}): Card {
  const card = reduce(freshCard(JOB_ID, "server", 0), { kind: "record", at: 0, job: aJob({ start_time: null, ...job }) });
  const linked = reduce(card, { kind: "link", at: 0, link: { ...LIVE, ...link } });
  return reduce(linked, { kind: "tick", at: seconds * 1000 });
}

describe("time left", () => {
  test.each([
    ["nothing to go by yet", later(0, { estimated_remaining: null, estimated_total_time: null }), null],
    ["an estimate", later(0), { about: "0:04" }],
    ["as time goes by", later(2), { about: "0:02" }],
    ["never zero while it runs", later(3.9), { about: "0:01" }],
    ["overdue", later(5), { over: "0:01" }],
    ["overdue for long", later(16), { over: "0:12" }],
    ["just overdue", later(4.2), { over: null }],
  ])("%s", (_name, card, still) => {
    expect(left(card)).toEqual(still);
  });

  test.each([
    [0.2, "0:01"],
    [42.4, "0:42"],
    [61, "1:00"],
    [63, "1:05"],
    [598, "10\u202fmin"],
    [3700, "1\u202fh 2\u202fmin"],
    [7200, "2\u202fh"],
  ])("%d seconds are said as %s", (seconds, words) => {
    expect(rounded(seconds)).toBe(words);
  });
});

describe("time run", () => {
  test("goes on with the clock while the connection lives", () => {
    expect(elapsed(later(3))).toBe(9);
  });

  test("stands at the last answer without a socket", () => {
    expect(elapsed(later(3, {}, { transport: "polling", heardAt: 1000 }))).toBe(7);
  });

  test("is what the record says once the job is over", () => {
    expect(elapsed(later(60, { status: "completed", elapsed_time: 10.4 }))).toBe(10.4);
  });

  test("counts from the start for a job that has been quiet since before the page was opened", () => {
    const start = new Date(-100_000).toISOString();
    expect(elapsed(later(0, { start_time: start }, { skew: 500 }))).toBe(100.5);
  });

  test("is unknown before the job began", () => {
    expect(elapsed(later(3, { elapsed_time: null }))).toBeNull();
  });
});

describe("stale numbers", () => {
  test("are those of a running job after ten seconds of silence", () => {
    expect([staleFor(later(9)), staleFor(later(11)), staleFor(later(99, { status: "completed" }))]).toEqual([null, 11, null]);
  });

  test("are not those of a fit that is always that slow", () => {
    let card = later(0);
    for (let n = 1; n <= 5; n++) card = reduce(card, { kind: "events", at: n * 60_000, events: [progressed(n)] });
    expect(staleFor(reduce(card, { kind: "tick", at: 5 * 60_000 + 170_000 }))).toBeNull();
  });
});

test("a stage without a total has no known length once it lasts", () => {
  const job = aJob({ stages: stagesAt(4), elapsed_time: 6 });
  const counted = aJob({ stages: stagesAt(4, { done: 1, total: 40 }) });
  expect([isLengthUnknown(job, 2.5), isLengthUnknown(job, 6), isLengthUnknown(counted, 6)]).toEqual([false, true, false]);
});
