import { afterEach, beforeEach, expect, test } from "vitest";
import { DEFAULTS, prefer } from "../../src/state/preferences";
import { metricPoints, points } from "../builders";
import { Shown } from "./page";

beforeEach(() => sessionStorage.clear());
afterEach(() => prefer({}));

function shownWith(values: readonly (number | null)[], timed = true): Shown {
  const told = points("val_loss", values).map(({ elapsed, ...point }) => (timed ? { ...point, elapsed: elapsed ?? 0 } : point));
  return new Shown({}).happen({ kind: "events", at: 0, events: [metricPoints(9, ...told)] });
}

function pressed(shown: Shown, tool: string) {
  const node = shown.find(tool);
  return [node.getAttribute("aria-pressed"), node.getAttribute("aria-description")];
}

function smooth(shown: Shown, weight: string): void {
  const slider = shown.find("smoothing") as HTMLInputElement;
  slider.value = weight;
  slider.dispatchEvent(new Event("input"));
}

test("a choice is kept for its job, and by no other", () => {
  const shown = shownWith([2, 1]);
  shown.click("log-axis");
  smooth(shown, "0.6");
  const again = shownWith([2, 1]);
  expect([pressed(again, "log-axis")[0], (again.find("smoothing") as HTMLInputElement).value]).toEqual(["true", "0.6"]);
  expect(Object.keys(sessionStorage)).toEqual([`mlops_jupyter:look:${shown.card.jobId}`]);
});

test("what cannot be had says why, does nothing, and is back where it can be had", () => {
  const shown = shownWith([2, 0], false);
  for (const tool of ["log-axis", "time-axis"]) shown.click(tool);
  expect([pressed(shown, "log-axis"), pressed(shown, "time-axis")]).toEqual([
    ["false", "There are values of 0 or below: they have no logarithm."],
    ["false", "It is not known when these values were measured."],
  ]);
  expect(sessionStorage.length).toBe(0);
  shown.leaving.abort();
  const other = shownWith([2, 1]);
  for (const tool of ["log-axis", "time-axis"]) other.click(tool);
  expect([pressed(other, "log-axis"), pressed(other, "time-axis")]).toEqual([["true", null], ["true", null]]);
});

test("one chart with logarithms is enough, a step axis for one without times is not", () => {
  const shown = shownWith([2, 0]);
  const loose = [{ name: "lr", step: 1, value: 0.1 }];
  shown.happen({ kind: "events", at: 1, events: [metricPoints(10, ...loose)] });
  expect([pressed(shown, "log-axis")[1], pressed(shown, "time-axis")[1]]).toEqual([null, "It is not known when these values were measured."]);
});

test("preferences are in force at once, where nothing was chosen", () => {
  const shown = shownWith([2, 1]);
  const other = () => [(shown.find("smoothing") as HTMLInputElement).value, pressed(shown, "time-axis")[0]];
  prefer({ smoothing: 0.5, xAxis: "time" });
  expect(other()).toEqual(["0.5", "true"]);
  smooth(shown, "0");
  prefer({ ...DEFAULTS, smoothing: 0.9 });
  expect(other()).toEqual(["0", "false"]);
});

test("arrows lead to the slider and away from it, but for those it slides by", () => {
  const shown = shownWith([2, 1]);
  const key = (name: string) => {
    const event = new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true, composed: true });
    shown.root.activeElement?.dispatchEvent(event);
    return [(shown.root.activeElement as HTMLElement).dataset["testid"], event.defaultPrevented];
  };
  shown.find("log-axis").focus();
  expect([key("ArrowLeft"), key("ArrowUp"), key("ArrowRight")]).toEqual([
    ["mlops-smoothing", true],
    ["mlops-smoothing", false],
    ["mlops-log-axis", true],
  ]);
});
