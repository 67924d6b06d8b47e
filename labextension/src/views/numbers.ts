/** The line of numbers: how far and how long while a job runs, what came out when it is over. */

import type { Job } from "../protocol";
import type { Card } from "../state/card";
import { face } from "../state/face";
import { clock, count, figure, option, percent, roughly, UNKNOWN } from "../state/figures";
import { currentStage, isOver } from "../state/job";
import { cpuOf, size } from "../state/machine";
import { elapsed, isLengthUnknown, type Left, left, overdue } from "../state/times";
import { trans } from "../words";
import { element, fill, pair, show } from "./element";

export function mount(el: HTMLElement, card: Card, signal: AbortSignal): (next: Card) => void {
  // In narrow cards the rest goes to a second line, beside the buttons.
  const first = element("div", { class: "numbers", "data-testid": "mlops-numbers" });
  const rest = element("div", { class: "numbers rest" });
  el.append(first, rest);
  const sizes = new ResizeObserver(() => [first, rest].forEach(fit));
  sizes.observe(el);
  // What stands beside it comes and goes: its room changes while the line keeps its own.
  sizes.observe(rest);
  signal.addEventListener("abort", () => sizes.disconnect());
  const update = (next: Card) => {
    const [main, more] = next.job ? said(next, next.job) : [[], []];
    write(first, main);
    write(rest, more);
  };
  update(card);
  return update;
}

type Pair = [label: string, value: string, testid: string];
type Lines = [main: Pair[], rest: Pair[]];

function write(line: HTMLElement, pairs: readonly Pair[]): void {
  const key = JSON.stringify(pairs);
  if (line.dataset["key"] === key) return;
  fill(line, key, () => pairs.map(([label, value, testid]) => pair(label, value, `mlops-${testid}`)));
  fit(line);
}

/** Hides what had to wrap. */
function fit(line: HTMLElement): void {
  const pairs = [...line.children].filter((child) => child instanceof HTMLElement);
  for (const one of pairs) show(one, true);
  for (const one of pairs) if (one.offsetTop > line.offsetTop + 9) show(one, false);
}

function said(card: Card, job: Job): Lines {
  switch (face(card)) {
    case "finished":
      return results(job);
    case "queued":
      return [waiting(job), again(job)];
    default:
      return moving(card, job);
  }
}

function moving(card: Card, job: Job): Lines {
  const ran = elapsed(card);
  const pairs: Pair[] = [];
  if (job.progress !== null && !isLengthUnknown(job, ran)) pairs.push(["", percent(job.progress), "percent"]);
  const current = currentStage(job);
  if (current) pairs.push(["", at(current.stage, current.place), "unit"]);
  const { shown, link } = card.connection;
  if (card.source === "server" && (shown === "reconnecting" || face(card) === "gone")) {
    const ago = link.heardAt === null ? UNKNOWN : trans.__("%1 ago", roughly((card.now - link.heardAt) / 1000));
    pairs.push([trans.__("last update"), ago, "last-update"]);
    // True of every job the server runs: its processes are not the connection's. Not of one that is suspended.
    if (job.status === "running" && face(card) === "running") return [pairs, [[trans.__("Training goes on in the server."), "", "goes-on"]]];
  } else {
    const goesOn = face(card) === "running" && card.source !== "saved" && job.status !== "stopping";
    const still = left(card);
    const times: Pair[] = [[trans.__("elapsed"), ran === null ? UNKNOWN : clock(ran), "elapsed"], ...(goesOn ? [remaining(still)] : [])];
    // What comes last yields first where room is scarce; that a job is overdue must not.
    pairs.push(...(still && "over" in still ? times.reverse() : times));
  }
  const { best } = job;
  const rest: Pair[] = best ? [[trans.__("best %1", best.name), `${figure(best.value)} @ ${best.step}`, "best"]] : [];
  return [pairs, [...rest, ...takes(card, job), ...again(job)]];
}

/** Of all its processes; CPU of one, so that two at work are 200 %. */
function takes({ use }: Card, job: Job): Pair[] {
  if (!use || isOver(job)) return [];
  const { memory, peak } = use;
  return [[trans.__("memory"), size(memory), "memory"], [trans.__("peak"), size(peak), "peak"], [trans.__("CPU"), cpuOf(use), "cpu"]];
}

function at(stage: { unit: string | null; done: number | null; total: number | null }, place: number): string {
  if (stage.done === null) return trans.__("stage %1", `${place}/8`);
  const total = stage.total === null ? "" : `/${count(stage.total)}`;
  return `${stage.unit ?? trans.__("step")} ${count(stage.done)}${total}`;
}

function remaining(still: Left): Pair {
  if (still && "over" in still) return ["", overdue(still.over), "left"];
  return [trans.__("left"), still ? `~${still.about}` : "…", "left"];
}

/** Its priority, where it has one, and what is other than in the attempt before. */
function again(job: Job): Pair[] {
  const priority: Pair[] = job.priority ? [[trans.__("priority"), String(job.priority), "priority"]] : [];
  return [...priority, ...changed(job)];
}

function changed(job: Job): Pair[] {
  return job.changes.map((one) => [one.name, short(one.after), "changed"]);
}

function short(value: unknown): string {
  const said = option(value);
  return said.length > 20 ? `${said.slice(0, 19)}…` : said;
}

function waiting(job: Job): Pair[] {
  const pairs: Pair[] = [];
  const { dataset, target, estimator } = job;
  if (dataset) pairs.push([trans.__("data"), dataset.name, "dataset"]);
  if (target) pairs.push([trans.__("target"), target, "target"]);
  if (estimator) pairs.push([trans.__("model"), estimator, "estimator"]);
  return pairs;
}

/** The hold-out score first, then how far it can be trusted, then the rest. */
function results(job: Job): Lines {
  const pairs: Pair[] = [];
  const rest: Pair[] = [];
  const { metrics, metric } = job;
  const main = `test_${metric}`;
  const score = metrics[main] ?? job.final_score;
  if (metric) pairs.push([trans.__("test %1", metric), figure(score), "final"]);
  if (metrics["cv_mean"] != null) {
    const spread = metrics["cv_std"] == null ? "" : ` ± ${figure(metrics["cv_std"])}`;
    pairs.push([trans.__("cv"), `${figure(metrics["cv_mean"])}${spread}`, "cv"]);
  }
  const baseline = metrics["test_baseline"] ?? metrics["baseline"];
  if (baseline != null) rest.push([trans.__("baseline"), figure(baseline), "baseline"]);
  rest.push([trans.__("model"), job.model_id ? job.model_id.slice(0, 6) : trans.__("not saved"), "model"]);
  if (job.best) rest.push([trans.__("best %1", job.best.name), `${figure(job.best.value)} @ ${where(job, job.best.step)}`, "best"]);
  for (const [name, value] of Object.entries(metrics)) {
    if (name.startsWith("test_") && name !== main && name !== "test_baseline") rest.push([trans.__("test %1", name.slice("test_".length)), figure(value), "metric"]);
  }
  return [pairs, [...rest, ...again(job)]];
}

/** `epoch 37/40`. */
function where(job: Job, step: number): string {
  const training = job.stages.find((stage) => stage.name === "Training model");
  const total = training?.total ?? training?.done;
  const of = total ? `/${count(total)}` : "";
  return `${training?.unit ?? trans.__("step")} ${count(step)}${of}`;
}
