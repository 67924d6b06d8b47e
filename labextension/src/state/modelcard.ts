/** A model as its card shows it: its facts in words, what deploying it would change, and how to ask it. */

import { trans } from "../words";
import type { ModelAliased, ModelDeployed, ModelStatus } from "../protocol";
import type { Column, Endpoint, Model } from "./assets";
import { figure, option, size, UNKNOWN } from "./figures";
import { label, predictions, statusWord, versionsOf } from "./models";
import { share } from "./preview";

export type Tab = "overview" | "try" | "deploy" | "history";
export const TABS: readonly Tab[] = ["overview", "try", "deploy", "history"];
export type Value = string | number | boolean | null;
export type ExampleRow = Record<string, Value>;

export interface Answer {
  model_id: string;
  name: string;
  version: number;
  predictions: Value[];
  probabilities: number[][] | null;
  classes: Value[] | null;
  ms: number;
}

/** What is wrong with a row: with one field, or with the whole. */
export interface Fault {
  column: string | null;
  message: string;
}

/** What the version that answers has predicted, and how; what was not measured is null. Percentiles are seconds. */
export interface Monitoring {
  total: number;
  requests: number;
  errors: number;
  /** Predictions a minute. */
  rate: number | null;
  p50: number | null;
  p95: number | null;
  /** Only those in which anything was asked. */
  hours: { hour: string; predictions: number; errors: number }[];
  drift: Record<string, { psi: number | null; ks: number | null; level: string; rows: number }> | null;
  /** Why there is none. */
  drift_reason: string | null;
  /** Columns that are not compared: dates, long texts, and those beyond the first. */
  unwatched: string[];
}

/** A package of which the server has another version than the model was trained with. */
export interface Difference {
  package: string;
  trained: string;
  here: string;
}

export type ModelEvent = ModelStatus | ModelAliased | ModelDeployed;

export interface ModelSight {
  id: string;
  /** All that are registered; null while nobody has said. */
  models: readonly Model[] | null;
  endpoint: Endpoint | null;
  monitoring: Monitoring | null;
  differs: readonly Difference[];
  /** A row it was trained on, where one was kept. */
  example: ExampleRow | null;
  /** What became of it, the oldest first; null while nobody has said. */
  history: readonly ModelEvent[] | null;
  answer: Answer | null;
  faults: readonly Fault[];
  /** What is on its way. */
  busy: "deploy" | "undeploy" | "rollback" | "predict" | null;
  trouble: string | null;
  /** Absolute; ends with a slash. */
  baseUrl: string;
  now: number;
}

export function modelOf(sight: ModelSight): Model | null {
  return sight.models?.find((one) => one.model_id === sight.id) ?? null;
}

/** Label and value; what is not known is not there. */
export function facts(model: Model): [string, string][] {
  const { split, provenance, signature } = model;
  const data = provenance.dataset;
  const inputs = signature.inputs?.length;
  const told: [string, string | null][] = [
    [trans.__("estimator"), model.estimator],
    [trans.__("target"), model.target],
    [trans.__("inputs"), inputs === undefined ? null : trans._n("%1 column", "%1 columns", inputs)],
    [trans.__("data"), data && [data.version === null ? data.name : `${data.name} v${data.version}`, data.hash ? trans.__("sha %1", `${data.hash.slice(0, 7)}…`) : ""].filter(Boolean).join(" · ")],
    [trans.__("split"), split && splitWords(split)],
    [trans.__("size"), size(model.size)],
    [trans.__("parameters"), pairs(model.parameters)],
    [trans.__("environment"), pairs(model.environment)],
  ];
  return told.filter((one): one is [string, string] => Boolean(one[1]));
}

/** A warning where predictions may be others than in training; empty where there is none. */
export function elsewhere(differs: readonly Difference[]): string {
  const said = differs.map((one) => trans.__("%1 %2 (trained with %3)", one.package, one.here, one.trained)).join(", ");
  return said && trans.__("This server has other versions: %1. Predictions may differ.", said);
}

function splitWords({ rule, test_size, test, cv, seed }: NonNullable<Model["split"]>): string {
  const held = test !== null ? trans.__("held out: %1", test) : test_size === null ? "" : trans.__("%1 of the rows held out", `${Math.round(100 * test_size)}\u202f%`);
  const folds = cv > 0 ? trans._n("%1 fold", "%1 folds", cv) : "";
  return [rule, held, folds, trans.__("seed %1", String(seed))].filter(Boolean).join(" · ");
}

function pairs(values: Record<string, unknown>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${option(value)}`)
    .join(", ");
}

/** `accuracy 0.974`, and on which rows. */
export function headline(model: Model): { metric: string; value: string; on: string } {
  const on = model.split?.test ? trans.__("on %1", model.split.test) : trans.__("on the rows held out");
  return { metric: model.metric ?? trans.__("score"), value: figure(model.score), on };
}

/** What answers now, what would instead, and how to go back. */
export function consequence(sight: ModelSight): string {
  const model = modelOf(sight);
  if (!model) return "";
  const now = answering(sight);
  if (!now) return trans.__("Nothing answers for %1 yet. To take it away again: Undeploy.", model.name);
  if (now.model_id === model.model_id) return trans.__("%1 answers already.", label(model));
  return trans.__("%1 takes the place of %2, which answers until then and is kept: Roll back brings it back.", label(model), label(now));
}

/** The version that answers for this name. */
export function answering(sight: ModelSight): Model | null {
  return sight.models?.find((one) => one.model_id === sight.endpoint?.model_id) ?? null;
}

/** What a rollback brings back; null where there is nothing to go back to. */
export function previous(sight: ModelSight): Model | null {
  const last = sight.endpoint?.history.at(-1);
  return sight.models?.find((one) => one.model_id === last) ?? null;
}

export function address({ baseUrl, endpoint }: ModelSight): string | null {
  return endpoint ? `${baseUrl}mlops/api/endpoints/${endpoint.endpoint_id}/predict` : null;
}

/** For a shell: the token is that of the server, asked for there and written nowhere here. */
export function curl(url: string, row: ExampleRow): string {
  const body = JSON.stringify({ row }).replaceAll("'", "'\\''");
  return `curl -X POST '${url}' \\\n  -H "Authorization: token $JUPYTER_TOKEN" \\\n  -H 'Content-Type: application/json' \\\n  -d '${body}'`;
}

/** By its version: the newest of a name need not be the one that answers. */
export function python({ name, version }: Pick<Model, "name" | "version">, row: ExampleRow): string {
  return `import mlops_jupyter as mlops\n\nmlops.model(${JSON.stringify(`${name}@${version}`)}).predict([${literal(row)}])`;
}

/** As Python writes it. */
function literal(row: ExampleRow): string {
  const said = (value: Value) => (value === null ? "None" : value === true ? "True" : value === false ? "False" : JSON.stringify(value));
  return `{${Object.entries(row).map(([name, value]) => `${JSON.stringify(name)}: ${said(value)}`).join(", ")}}`;
}

/** What was typed, as the model takes it; a text that is no number is sent as it is, and the server says so. */
export function valueOf(column: Column, typed: string): Value {
  if (typed === "") return null;
  if (column.kind === "boolean") return typed === "true";
  if (column.kind !== "number") return typed;
  const number = Number(typed.replace(",", ".").replace("−", "-"));
  return Number.isFinite(number) ? number : typed;
}

/** The form of a model without an example is empty. */
export function emptyRow(model: Model): ExampleRow {
  return Object.fromEntries((model.signature.inputs ?? []).map(({ name }) => [name, null]));
}

/** What became of it in words, the newest first. */
export function story({ id, history }: Pick<ModelSight, "id" | "history">): { time: string; said: string }[] {
  return [...(history ?? [])].reverse().map((event) => ({ time: event.time, said: told(id, event) }));
}

function told(id: string, event: ModelEvent): string {
  if (event.type === "model_deployed") return trans.__("answers now");
  const by = event.by === null ? "" : trans.__("by %1", event.by);
  if (event.type === "model_aliased") {
    return [event.model_id === id ? trans.__("got the alias %1", event.alias) : trans.__("lost the alias %1", event.alias), by].filter(Boolean).join(" · ");
  }
  return [statusWord(event.status), event.why ?? "", by].filter(Boolean).join(" · ");
}

/** `1 204 predictions · 12/min · p50 9.0 ms · p95 18 ms · errors 0.2 %`. */
export function volume({ total, rate, p50, p95, errors, requests }: Monitoring): string {
  const said = predictions(total);
  const pace = trans.__("%1/min", rate === null ? UNKNOWN : rate >= 10 || rate === 0 ? String(Math.round(rate)) : rate.toFixed(1));
  const half = trans.__("p50 %1", p50 === null ? UNKNOWN : milliseconds(1000 * p50));
  const slow = trans.__("p95 %1", p95 === null ? UNKNOWN : milliseconds(1000 * p95));
  const wrong = trans.__("errors %1", share(errors, requests));
  return [said, pace, half, slow, wrong].join(" · ");
}

export function milliseconds(ms: number): string {
  return `${ms >= 10 ? Math.round(ms) : ms.toFixed(1)}\u202fms`;
}

/** Hours of the last day, the oldest first; null where nothing was counted: a gap, no nought. */
export function hoursOf({ hours }: Monitoring, now: number, many = 24): { hour: number; predictions: number | null; errors: number }[] {
  const known = new Map(hours.map((one) => [Math.floor(Date.parse(one.hour) / 3_600_000), one]));
  const last = Math.floor(now / 3_600_000);
  return Array.from({ length: many }, (_, at) => {
    const hour = last - many + 1 + at;
    const one = known.get(hour);
    return { hour: hour * 3_600_000, predictions: one?.predictions ?? null, errors: one?.errors ?? 0 };
  });
}

export function driftWord({ level, psi }: { level: string; psi: number | null }): string {
  if (psi === null) return trans.__("too few rows yet");
  switch (level) {
    case "none":
      return trans.__("as in training");
    case "warning":
      return trans.__("has moved");
    default:
      return trans.__("has moved far");
  }
}

export { label, versionsOf };
