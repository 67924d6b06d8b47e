/** The eight stages as a line of segments: what is done, where the job is, what is to come. */

import type { Stage } from "../protocol";
import type { Card } from "../state/card";
import { span, UNKNOWN } from "../state/figures";
import { isOver } from "../state/job";
import { elapsed } from "../state/times";
import { trans } from "../words";
import { attribute, element, say } from "./element";
import { draw, mark } from "./marks";

/** By the server's names: the title, and a label short enough for eight in a row. */
const NAMES: Record<string, () => readonly [title: string, short: string]> = {
  "Data validation": () => [trans.__("Data validation"), trans.__("Data")],
  "Data preprocessing": () => [trans.__("Data preprocessing"), trans.__("Prep")],
  "Feature engineering": () => [trans.__("Feature engineering"), trans.__("Features")],
  "Model selection": () => [trans.__("Model selection"), trans.__("Select")],
  "Training model": () => [trans.__("Training model"), trans.__("Train")],
  "Model validation": () => [trans.__("Model validation"), trans.__("Validate")],
  "Performance evaluation": () => [trans.__("Performance evaluation"), trans.__("Evaluate")],
  "Finalizing model": () => [trans.__("Finalizing model"), trans.__("Finalize")],
};

function word(state: Stage["state"]): string {
  switch (state) {
    case "pending":
      return trans.__("not started");
    case "running":
      return trans.__("running");
    case "done":
      return trans.__("done");
    case "skipped":
      return trans.__("skipped");
    case "failed":
      return trans.__("failed here");
    case "cancelled":
      return trans.__("cancelled here");
  }
}

export function titleOf(stage: string): string {
  return Object.hasOwn(NAMES, stage) ? (NAMES[stage]?.()[0] ?? stage) : stage;
}

export function shortName(stage: string): string {
  return Object.hasOwn(NAMES, stage) ? (NAMES[stage]?.()[1] ?? stage) : stage;
}

export function mount(el: HTMLElement, card: Card): (next: Card) => void {
  const list = element("ol", { class: "stages", "aria-label": trans.__("Stages"), "data-testid": "mlops-stages" });
  el.append(list);
  const segments: ((stage: Stage, card: Card) => void)[] = [];

  const update = (next: Card) => {
    const stages = next.job?.stages ?? [];
    while (segments.length < stages.length) segments.push(segment(list));
    stages.forEach((stage, i) => segments[i]?.(stage, next));
  };
  update(card);
  return update;
}

function segment(list: HTMLElement): (stage: Stage, card: Card) => void {
  const filled = element("i", {});
  const shape = mark("pending");
  const label = element("span", { class: "label", "aria-hidden": "true" });
  const time = element("span", { class: "time", "aria-hidden": "true" });
  const spoken = element("span", { class: "spoken" });
  const track = element("span", { class: "track", "aria-hidden": "true" }, filled);
  const item = element("li", { "data-testid": "mlops-stage" }, track, shape, label, time, spoken);
  list.append(item);

  return (stage, card) => {
    const over = card.job !== null && isOver(card.job);
    const current = stage.name === card.job?.current_stage && !over;
    const took = duration(stage, elapsed(card));
    const words = [titleOf(stage.name), word(stage.state), took === null ? "" : span(took), stage.skipped_reason ?? stage.detail ?? ""];
    const sentence = words.filter(Boolean).join(", ");
    item.dataset["state"] = stage.state;
    draw(shape, stage.state);
    say(label, shortName(stage.name));
    say(time, took === null ? (stage.state === "skipped" ? trans.__("skipped") : "") : brief(took));
    say(spoken, sentence);
    attribute(item, "title", sentence);
    attribute(item, "aria-current", current ? "step" : null);
    filled.style.width = `${100 * part(stage)}%`;
  };
}

/** Seconds; of the running stage as far as is known now. */
function duration(stage: Stage, ran: number | null): number | null {
  if (stage.elapsed !== null) return stage.elapsed;
  if (stage.state !== "running" || ran === null || stage.started === null) return null;
  return Math.max(ran - stage.started, 0);
}

/** Short enough to stand below a segment. */
function brief(seconds: number): string {
  if (seconds < 0.05) return "0.0 s";
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  return seconds < 3600 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function part(stage: Stage): number {
  if (stage.state === "done") return 1;
  if (stage.state === "pending" || stage.state === "skipped") return 0;
  if (stage.state === "failed" || stage.state === "cancelled") return 1;
  return stage.total && stage.done !== null ? Math.min(stage.done / stage.total, 1) : 0;
}

/** `stage 5 of 8, Train`, for those who hear the bar. */
export function placeOf(card: Card): string {
  const stages = card.job?.stages ?? [];
  const at = stages.findIndex((stage) => stage.name === card.job?.current_stage);
  const stage = stages[at];
  return stage ? trans.__("stage %1 of %2 %3", String(at + 1), String(stages.length), shortName(stage.name)) : UNKNOWN;
}
