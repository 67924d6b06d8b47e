/** What a job that is over can tell beyond its headline: stages, all its numbers, what it was made of. */

import type { Job } from "../protocol";
import type { Card } from "../state/card";
import { count, figure, option, span, UNKNOWN } from "../state/figures";
import { shortId } from "../state/job";
import { element, fill, show } from "./element";
import { mount as mountStages } from "./stages";

/** Longer values have a line of their own. */
const SHORT = 22;

export interface Details {
  update(next: Card): void;
  /** Shows or hides; returns whether it is shown now. */
  toggle(): boolean;
}

export function mount(el: HTMLElement, card: Card): Details {
  const numbers = element("dl", { class: "facts" });
  const stages = element("div", {});
  const block = element("div", { class: "details", hidden: true, "data-testid": "mlops-details" }, stages, numbers);
  el.append(block);
  const updateStages = mountStages(stages, card);
  const update = (next: Card) => {
    updateStages(next);
    const facts = next.job ? known(next.job) : [];
    fill(numbers, JSON.stringify(facts), () =>
      facts.map(([label, value]) =>
        element("div", { class: value.length > SHORT ? "long" : "" }, element("dt", {}, label), element("dd", {}, value)),
      ),
    );
  };
  update(card);
  return {
    update,
    toggle() {
      show(block, block.hidden === true);
      return !block.hidden;
    },
  };
}

function known(job: Job): [string, string][] {
  const { dataset, resources } = job;
  const facts: [string, string | null][] = [
    ["estimator", job.estimator],
    ["parameters", parameters(job)],
    ["data", dataset && [dataset.name, shape(dataset.rows, dataset.columns)].filter(Boolean).join(", ")],
    ["target", job.target],
    ["attempt", job.rerun_of && `${job.attempt}, after ${shortId(job.rerun_of)}`],
    ["changed", job.changes.map((one) => `${one.name} ${option(one.before)} → ${option(one.after)}`).join(", ")],
    ["run again as", job.followed_by && shortId(job.followed_by)],
    ["model", job.model_id ?? job.model_missing_reason],
    ["processor time", resources.cpu_seconds === null ? null : span(resources.cpu_seconds)],
    ["most memory", resources.peak_memory_bytes === null ? null : memory(resources.peak_memory_bytes)],
    ["exit", job.signal === null ? exitCode(job) : `signal ${job.signal}`],
    ...Object.entries(job.metrics).map(([name, value]): [string, string] => [name, figure(value)]),
  ];
  return facts.filter((fact): fact is [string, string] => Boolean(fact[1]));
}

function exitCode(job: Job): string | null {
  return job.exit_code === null || job.status === "completed" ? null : `code ${job.exit_code}`;
}

function parameters(job: Job): string {
  return Object.entries(job.parameters)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(", ");
}

function shape(rows: number | null, columns: number | null): string {
  if (rows === null && columns === null) return "";
  return `${rows === null ? UNKNOWN : count(rows)} rows × ${columns === null ? UNKNOWN : count(columns)} columns`;
}

function memory(bytes: number): string {
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)}\u202fMB` : `${(bytes / 1e9).toFixed(1)}\u202fGB`;
}
