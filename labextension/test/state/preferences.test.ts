import { readFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import { freshBoard, reduceBoard } from "../../src/state/board";
import { ofHealth, ofJobs, ofModels } from "../../src/state/notices";
import { DEFAULTS, prefer } from "../../src/state/preferences";
import type { Event, HealthChange, ModelDeployed, ModelStatus, PredictionVolume } from "../../src/protocol";
import { mount as mountBoard } from "../../src/views/board";
import { mount as mountPanel } from "../../src/views/panel";
import { aModel } from "../assets";
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
  const live = { type: "model_deployed", time: TIME, model_name: "churn", model_id: "m-1", model_accuracy: 0.974 } as ModelDeployed;
  const models = () => ofModels([live], before).map(({ toast }) => toast);
  const all = () => [told({ status: "completed" }), told({ status: "failed" }), told({ status: "lost" }), ofHealth([unwell]).map(({ toast }) => toast), models()];
  expect(all()).toEqual([[true], [true], [true], [true], [true]]);
  prefer({ notify: { ...DEFAULTS.notify, minSeconds: 30 } });
  expect(all()).toEqual([[false], [true], [true], [true], [true]]);
  prefer({ notify: { ...DEFAULTS.notify, finished: false } });
  expect(all()).toEqual([[], [true], [true], [true], [true]]);
  prefer({ notify: { ...DEFAULTS.notify, failed: false } });
  expect(all()).toEqual([[true], [], [], [true], [true]]);
  prefer({ notify: { ...DEFAULTS.notify, health: false } });
  expect(all()).toEqual([[true], [true], [true], [], [true]]);
  prefer({ notify: { ...DEFAULTS.notify, deploy: false } });
  expect(all()).toEqual([[true], [true], [true], [true], []]);
});

test("of deployments one is told what became of them, and why", () => {
  const status = { type: "model_status", time: TIME, model_id: "m-1", name: "churn", version: 3 };
  const events = [
    { ...status, status: "deploying", previous: "registered", why: null } as ModelStatus,
    { ...status, status: "deployed", previous: "deploying", why: null } as ModelStatus,
    { type: "model_deployed", time: TIME, model_name: "churn", model_id: "m-1", model_accuracy: 0.974 } as ModelDeployed,
    { type: "prediction_volume", time: TIME, model_id: "m-1", total_predictions: 412, milestone: null } as PredictionVolume,
    { type: "prediction_volume", time: TIME, model_id: "m-1", total_predictions: 1032, milestone: 1000 } as PredictionVolume,
    { ...status, status: "failed", previous: "deployed", why: "Its process crashed 3 times." } as ModelStatus,
    { ...status, status: "failed", previous: "deploying", why: "Its file is gone." } as ModelStatus,
  ] satisfies Event[];
  const named = reduceBoard(before, { at: 0, kind: "listed", lists: { models: [aModel({ model_id: "m-1", name: "churn", version: 3 })] } });
  expect(ofModels(events, named).map(({ kind, text, toast }) => [kind, text, toast])).toEqual([
    ["success", "churn is now live with 97.4% accuracy", true],
    ["success", "churn v3 has made 1\u202f000 predictions", true],
    ["error", "churn v3 answers no more: Its process crashed 3 times.", true],
    ["error", "churn v3 could not be deployed: Its file is gone.", true],
  ]);
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

test("cards, the panel and what stands in cells stand still for who wants no motion", () => {
  const shown = new Shown({});
  const never = new AbortController().signal;
  const acts = { act: () => {}, order: () => {}, open: () => {}, folded: () => [], fold: () => {} };
  const [panel, strip] = [document.createElement("div"), document.createElement("div")];
  const updates = [mountPanel(panel, before, never, acts), mountBoard(strip, before, never, "system", null, acts)];
  const still = () => {
    for (const update of updates) update(before);
    return [shown.find("card"), ...[panel, strip].map((el) => el.shadowRoot?.querySelector(".card"))].map((box) => box?.hasAttribute("data-still"));
  };
  expect(still()).toEqual([false, false, false]);
  prefer({ reduceMotion: "always" });
  shown.happen({ kind: "tick", at: 1_000 });
  expect(still()).toEqual([true, true, true]);
});
