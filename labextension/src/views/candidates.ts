/** Configurations compared fold by fold, as the scores arrive: one row each, its folds on a common scale. */

import type { Candidate, Job } from "../protocol";
import type { Card } from "../state/card";
import { comparedIn, ranked } from "../state/candidates";
import { count, figure, UNKNOWN } from "../state/figures";
import { trans } from "../words";
import { attribute, element, fill, say, show } from "./element";
import { mark } from "./marks";

const ROWS = 5;
const COLUMN_PX = 300;

export interface Comparison {
  update(next: Card): void;
  unfold(all: boolean): void;
}

export function mount(el: HTMLElement, card: Card, signal: AbortSignal): Comparison {
  const title = element("b", { class: "metric" });
  const note = element("span", { class: "note" });
  const list = element("ol", { class: "rows" });
  const block = element(
    "div",
    { class: "candidates", "data-testid": "mlops-candidates" },
    element("div", { class: "heading" }, title, note),
    list,
  );
  el.append(block);
  let shown = card;
  let fitting = 1;
  let unfolded = false;

  function paint(): void {
    const job = shown.job;
    const stage = job && comparedIn(job);
    if (!job || !stage) return;
    const all = ranked(job, stage);
    const columns = Math.min(fitting, Math.ceil(all.length / ROWS));
    const some = unfolded ? all : all.slice(0, ROWS * columns);
    const scale = range(all);
    say(title, all.length > 1 ? trans.__("%1 candidates", count(all.length)) : trans.__("Folds"));
    say(note, remark(job, all, some.length, scale));
    // One width for all labels, so that the scales stand below each other.
    const longest = Math.max(...all.map((candidate) => candidate.label.length));
    list.style.setProperty("--who", `${Math.min(longest, 30) * 0.95 + 3}ch`);
    list.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    list.style.gridTemplateRows = `repeat(${Math.max(Math.ceil(some.length / columns), unfolded ? 1 : ROWS)}, auto)`;
    fill(list, JSON.stringify([some, scale]), () => some.map((candidate) => row(candidate, scale, all.length > 1)));
  }

  const sizes = new ResizeObserver((entries) => {
    const fits = Math.max(1, Math.floor((entries.at(-1)?.contentRect.width ?? 0) / COLUMN_PX));
    if (fits === fitting) return;
    fitting = fits;
    paint();
  });
  sizes.observe(block);
  signal.addEventListener("abort", () => sizes.disconnect());

  const update = (next: Card) => {
    shown = next;
    show(block, (next.job?.candidates.length ?? 0) > 0);
    paint();
  };
  update(card);
  return {
    update,
    unfold(all) {
      unfolded = all;
      paint();
    },
  };
}

type Scale = readonly [low: number, high: number] | null;

function range(candidates: readonly Candidate[]): Scale {
  const scores = candidates.flatMap((candidate) => candidate.scores).filter((score) => score !== null);
  return scores.length === 0 ? null : [Math.min(...scores), Math.max(...scores)];
}

function remark(job: Job, all: readonly Candidate[], shown: number, scale: Scale): string {
  const scored = all.reduce((sum, candidate) => sum + done(candidate), 0);
  const folds = all.reduce((sum, candidate) => sum + candidate.scores.length, 0);
  const better = job.greater_is_better === null ? "" : job.greater_is_better ? " ↑" : " ↓";
  const parts = [`${job.metric ?? trans.__("score")}${better}`, trans.__("%1 of %2 folds", count(scored), count(folds))];
  if (scale) parts.push(`${figure(scale[0])} … ${figure(scale[1])}`);
  if (shown < all.length) parts.push(trans.__("best %1 shown", String(shown)));
  return parts.join(" · ");
}

function row(candidate: Candidate, scale: Scale, several: boolean): HTMLElement {
  const strip = element("span", { class: "strip", "aria-hidden": "true" });
  for (const score of candidate.scores) if (score !== null) strip.append(tick(score, scale, "fold"));
  if (candidate.mean !== null) strip.append(tick(candidate.mean, scale, "mean"));
  const spread = candidate.spread === null ? "" : ` ± ${figure(candidate.spread)}`;
  const item = element(
    "li",
    { "data-testid": "mlops-candidate", "data-chosen": candidate.chosen ? "true" : null },
    element(
      "span",
      { class: "who" },
      element("bdi", { class: "label", title: described(candidate) }, candidate.label),
      candidate.chosen && several ? mark("done") : null,
      candidate.chosen && several ? element("span", { class: "spoken" }, trans.__("chosen")) : null,
    ),
    strip,
    element("span", { class: "score" }, element("b", {}, candidate.mean === null ? UNKNOWN : figure(candidate.mean)), spread),
    element("span", { class: "folds" }, candidate.error ? trans.__("failed") : `${done(candidate)}/${candidate.scores.length}`),
  );
  attribute(item, "title", candidate.error ?? (candidate.chosen && several ? trans.__("chosen") : null));
  return item;
}

function tick(score: number, scale: Scale, kind: string): HTMLElement {
  const [low, high] = scale ?? [0, 1];
  // Within the strip also at its ends.
  const at = high > low ? 2 + (96 * (score - low)) / (high - low) : 50;
  const node = element("i", { class: kind });
  node.style.left = `${at.toFixed(1)}%`;
  return node;
}

function done(candidate: Candidate): number {
  return candidate.scores.filter((score) => score !== null).length;
}

/** The parameters, one a line. */
function described(candidate: Candidate): string {
  const parameters = Object.entries(candidate.parameters).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [candidate.label, ...parameters].join("\n");
}
