/** The eight stages as a line of segments: what is done, where the job is, what is to come. */

import type { Stage } from "../protocol";
import type { Card } from "../state/card";
import { span, UNKNOWN } from "../state/figures";
import { isOver } from "../state/job";
import { elapsed } from "../state/times";
import { attribute, element, say } from "./element";
import { draw, mark } from "./marks";

/** Labels short enough for eight in a row; the full title is the accessible name and the tooltip. */
const SHORT: Record<string, string> = {
  "Data validation": "Data",
  "Data preprocessing": "Prep",
  "Feature engineering": "Features",
  "Model selection": "Select",
  "Training model": "Train",
  "Model validation": "Validate",
  "Performance evaluation": "Evaluate",
  "Finalizing model": "Finalize",
};

const WORDS: Record<Stage["state"], string> = {
  pending: "not started",
  running: "running",
  done: "done",
  skipped: "skipped",
  failed: "failed here",
  cancelled: "cancelled here",
};

export function shortName(stage: string): string {
  return SHORT[stage] ?? stage;
}

export function mount(el: HTMLElement, card: Card): (next: Card) => void {
  const list = element("ol", { class: "stages", "aria-label": "Stages", "data-testid": "mlops-stages" });
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
    const words = [stage.name, WORDS[stage.state], took === null ? "" : span(took), stage.skipped_reason ?? stage.detail ?? ""];
    const sentence = words.filter(Boolean).join(", ");
    item.dataset["state"] = stage.state;
    draw(shape, stage.state);
    say(label, shortName(stage.name));
    say(time, took === null ? (stage.state === "skipped" ? "skipped" : "") : brief(took));
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
  return stage ? `stage ${at + 1} of ${stages.length} ${shortName(stage.name)}` : UNKNOWN;
}
