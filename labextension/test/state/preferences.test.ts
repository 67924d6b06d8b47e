import { readFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { freshBoard, reduceBoard } from "../../src/state/board";
import { ofHealth, ofJobs } from "../../src/state/notices";
import { DEFAULTS, prefer } from "../../src/state/preferences";
import type { HealthChange } from "../../src/protocol";
import { aJob, TIME } from "../builders";
import { Shown } from "../views/page";

afterEach(() => prefer({}));

interface Schema {
  properties?: Record<string, Schema>;
  default?: unknown;
}

function defaults(schema: Schema): unknown {
  if (!schema.properties) return schema.default;
  return Object.fromEntries(Object.entries(schema.properties).map(([key, inner]) => [key, defaults(inner)]));
}

test("the settings of JupyterLab are the preferences there are, with the same defaults", () => {
  const schema = JSON.parse(readFileSync("schema/plugin.json", "utf8")) as Schema;
  expect(defaults(schema)).toEqual(DEFAULTS);
  // What the editor offers when a user takes a change back.
  expect(schema.properties?.["notify"]?.default).toEqual(DEFAULTS.notify);
});

const before = reduceBoard(freshBoard(0), { at: 0, kind: "snapshot", jobs: [aJob()] });

function told(fields: Partial<ReturnType<typeof aJob>>) {
  const after = reduceBoard(before, { at: 0, kind: "snapshot", jobs: [aJob({ elapsed_time: 20, ...fields })] });
  return ofJobs(before, after, new Set()).map(({ toast }) => toast);
}

test("nobody is told of what they do not want to be told", () => {
  const unwell = { type: "health_change", time: TIME, current_health: "critical", priority: "high", cause: "memory" } as HealthChange;
  const all = () => [told({ status: "completed" }), told({ status: "failed" }), told({ status: "lost" }), ofHealth([unwell]).map(({ toast }) => toast)];
  expect(all()).toEqual([[true], [true], [true], [true]]);
  prefer({ notify: { ...DEFAULTS.notify, minSeconds: 30 } });
  expect(all()).toEqual([[false], [true], [true], [true]]);
  prefer({ notify: { ...DEFAULTS.notify, finished: false } });
  expect(all()).toEqual([[], [true], [true], [true]]);
  prefer({ notify: { ...DEFAULTS.notify, failed: false } });
  expect(all()).toEqual([[true], [], [], [true]]);
  prefer({ notify: { ...DEFAULTS.notify, health: false } });
  expect(all()).toEqual([[true], [true], [true], []]);
});

test("when a stop takes two steps is the user's choice", () => {
  prefer({ confirmStopAfter: 0 });
  const shown = new Shown({ elapsed_time: 1, estimated_total_time: null });
  shown.click("stop");
  expect([shown.text("stop"), shown.actions]).toEqual(["Stop at 58 %?", []]);
  prefer({ confirmStopAfter: 99 });
  const other = new Shown({ elapsed_time: 90, estimated_total_time: null });
  other.click("stop");
  expect(other.actions).toEqual([{ do: "stop" }]);
});

test("a card stands still for who wants no motion", () => {
  const shown = new Shown({});
  expect(shown.find("card").hasAttribute("data-still")).toBe(false);
  prefer({ reduceMotion: "always" });
  shown.happen({ kind: "tick", at: 1_000 });
  expect(shown.find("card").hasAttribute("data-still")).toBe(true);
});
