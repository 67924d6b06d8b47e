/** What a job that is over can tell beyond its headline: stages, all its numbers, what it was made of. */

import type { Job } from "../protocol";
import type { Card } from "../state/card";
import { count, figure, option, span, UNKNOWN } from "../state/figures";
import { shortId } from "../state/job";
import { trans } from "../words";
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
    [trans.__("estimator"), job.estimator],
    [trans.__("parameters"), parameters(job)],
    [trans.__("data"), dataset && [dataset.name, shape(dataset.rows, dataset.columns)].filter(Boolean).join(", ")],
    [trans.__("target"), job.target],
    [trans.__("attempt"), job.rerun_of && trans.__("%1, after %2", String(job.attempt), shortId(job.rerun_of))],
    [trans.__("changed"), job.changes.map((one) => `${one.name} ${option(one.before)} → ${option(one.after)}`).join(", ")],
    [trans.__("run again as"), job.followed_by && shortId(job.followed_by)],
    [trans.__("model"), job.model_id ?? job.model_missing_reason],
    [trans.__("processor time"), resources.cpu_seconds === null ? null : span(resources.cpu_seconds)],
    [trans.__("most memory"), resources.peak_memory_bytes === null ? null : memory(resources.peak_memory_bytes)],
    [trans.__("exit"), job.signal === null ? exitCode(job) : trans.__("signal %1", String(job.signal))],
    ...Object.entries(job.metrics).map(([name, value]): [string, string] => [name, figure(value)]),
  ];
  return facts.filter((fact): fact is [string, string] => Boolean(fact[1]));
}

function exitCode(job: Job): string | null {
  return job.exit_code === null || job.status === "completed" ? null : trans.__("code %1", String(job.exit_code));
}

function parameters(job: Job): string {
  return Object.entries(job.parameters)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(", ");
}

function shape(rows: number | null, columns: number | null): string {
  if (rows === null && columns === null) return "";
  return trans.__("%1 rows × %2 columns", rows === null ? UNKNOWN : count(rows), columns === null ? UNKNOWN : count(columns));
}

function memory(bytes: number): string {
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)}\u202fMB` : `${(bytes / 1e9).toFixed(1)}\u202fGB`;
}
