/** What a pipeline asks for, stage by stage, as people read and write it. Pure. Not here: who asks the server (client/pipelines). */

import { type Job, STAGES } from "../protocol";
import { trans } from "../words";
import type { Dataset } from "./assets";
import { matching } from "./entries";

/** A table of a recipe: a file of the server, or a version of a dataset (without one, the newest at each run). */
export interface Table {
  path: string | null;
  name?: string | null;
  dataset?: string | null;
  version?: number | null;
}

/** The fields of a recipe that are edited as text; the server checks what they mean. */
export interface Recipe {
  data: Table;
  test?: Table | null;
  target: string;
  [field: string]: unknown;
}

export interface Pipeline {
  id: string;
  name: string;
  version: number;
  newest: number;
  recipe: Recipe;
  updated: string;
  by: string;
  /** Null in lists. The oldest first. */
  versions: readonly Revision[] | null;
}

export interface Revision {
  version: number;
  time: string;
  by: string;
}

export interface Difference {
  name: string;
  before: unknown;
  after: unknown;
}

/** What a view may ask for; a refusal is a `RequestFailed`. */
export interface Pipelines {
  /** Datasets that a recipe can name. */
  datasets(): Promise<readonly Dataset[]>;
  versions(one: Pipeline): Promise<readonly Revision[]>;
  compare(one: Pipeline, from: number, to: number): Promise<readonly Difference[]>;
  /** The id of the job. */
  run(one: Pipeline): Promise<string>;
  /** The next version, if the one that was seen still is the newest. */
  save(seen: Pipeline, recipe: Recipe, name?: string): Promise<Pipeline>;
  /** A new one, of what this job was asked for. */
  keep(jobId: string, name: string): Promise<Pipeline>;
  duplicate(one: Pipeline, name: string): Promise<Pipeline>;
  remove(one: Pipeline): Promise<void>;
  restore(one: Pipeline): Promise<void>;
  /** Where a plain script of it is; null where no page reaches the server. */
  script(one: Pipeline): string | null;
}

/** `rf on customers.csv → churn`. */
export function told({ recipe }: Pipeline): string {
  return trans.__("%1 on %2 → %3", String(recipe["model"] ?? "hist_gradient_boosting"), tableOf(recipe.data), recipe.target);
}

/** Those whose name, id or words hold all words of `filter`. */
export function found(all: readonly Pipeline[], filter: string): Pipeline[] {
  return matching(all, filter, (one) => `${one.name} ${one.id} ${told(one)}`);
}

/** The last job that was run from it. */
export function runOf(jobs: Iterable<Job>, id: string): Job | null {
  const mine = [...jobs].filter((job) => job.pipeline?.id === id);
  return mine.sort((one, other) => (one.submitted_time ?? "").localeCompare(other.submitted_time ?? "")).at(-1) ?? null;
}

/** A value of a recipe as a person reads it. */
export function valueOf(value: unknown): string {
  if (value === null || value === undefined) return "—";
  if (typeof value === "object" && !Array.isArray(value)) {
    const { path, name, version } = value as Record<string, unknown>;
    if (path !== undefined || name !== undefined) return [path ?? name, version && `v${version}`].filter(Boolean).join(" ");
  }
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A name that is not taken, after this one. */
export function nextName(name: string, all: readonly string[]): string {
  for (let n = 2; ; n += 1) if (!all.includes(`${name}-${n}`)) return `${name}-${n}`;
}

function tableOf({ name, path, dataset }: Table): string {
  return name ?? path?.split("/").at(-1) ?? dataset ?? "";
}

type Kind = "table" | "text" | "whole" | "share" | "json" | "list" | "yes";
interface Field {
  name: string;
  kind: Kind;
}

/** Which stage a field decides about; those without one do what they always do. */
const FIELDS: Record<(typeof STAGES)[number], readonly Field[]> = {
  [STAGES[0]]: [
    { name: "data", kind: "table" },
    { name: "target", kind: "text" },
    { name: "task", kind: "text" },
    { name: "target_na", kind: "text" },
  ],
  [STAGES[1]]: [
    { name: "drop", kind: "list" },
    { name: "split", kind: "text" },
    { name: "test", kind: "table" },
    { name: "test_size", kind: "share" },
    { name: "seed", kind: "whole" },
  ],
  [STAGES[2]]: [],
  [STAGES[3]]: [
    { name: "model", kind: "text" },
    { name: "grid", kind: "json" },
  ],
  [STAGES[4]]: [
    { name: "params", kind: "json" },
    { name: "refit", kind: "yes" },
    { name: "n_jobs", kind: "whole" },
    { name: "timeout", kind: "share" },
  ],
  [STAGES[5]]: [{ name: "cv", kind: "whole" }],
  [STAGES[6]]: [{ name: "metric", kind: "text" }],
  [STAGES[7]]: [],
};

export interface Step {
  stage: string;
  fields: readonly Field[];
  /** What it will do, in a line. */
  says: string;
}

/** The eight stages with what this recipe makes of them. */
export function steps(recipe: Recipe): Step[] {
  const model = String(recipe["model"] ?? "hist_gradient_boosting");
  const says = [
    trans.__("%1 of %2", recipe.target, tableOf(recipe.data)),
    recipe.test
      ? trans.__("split %1, held out: %2", String(recipe["split"] ?? "random"), tableOf(recipe.test))
      : trans.__("split %1, hold-out %2", String(recipe["split"] ?? "random"), String(recipe["test_size"] ?? 0.2)),
    trans.__("dates, text, categories, missing values, scaling as the model needs it"),
    model === "auto" || recipe["grid"] ? trans.__("%1, the best is trained", model) : model,
    written(recipe["params"], "json") || trans.__("default parameters"),
    recipe["cv"] === 0 ? trans.__("no folds") : trans.__("%1 folds", String(recipe["cv"] ?? 5)),
    String(recipe["metric"] ?? trans.__("accuracy or R²")),
    trans.__("the model is saved and registered"),
  ];
  return STAGES.map((stage, i) => ({ stage, fields: FIELDS[stage], says: says[i] ?? "" }));
}

/** A field's value as it is written into its box; nothing where it has none. */
export function shown(recipe: Recipe, { name, kind }: Field): string {
  return written(recipe[name], kind);
}

/** The recipe with what was written, a dataset as `tables` call it; throws a `SyntaxError` for JSON that is none. */
export function changed(recipe: Recipe, field: Field, text: string, tables: readonly Table[]): Recipe {
  return { ...recipe, [field.name]: read(field, text, tables) };
}

/** What can be chosen for a table, by the words that `valueOf` has for it: each version, the newest first. */
export function tablesOf(datasets: readonly Dataset[]): Table[] {
  return datasets.flatMap(({ id, name, versions }) => [
    ...[...versions].reverse().map(({ version }) => ({ path: null, name, dataset: id, version })),
    { path: null, name, dataset: id, version: null },
  ]);
}

function read({ name, kind }: Field, text: string, tables: readonly Table[]): unknown {
  const given = text.trim();
  if (kind === "table") {
    if (given === "" && name !== "data") return null;
    return tables.find((one) => valueOf(one) === given) ?? { path: given, name: given.split("/").at(-1) ?? null };
  }
  if (kind === "yes") return given === "true";
  if (kind === "list") return given.split(",").flatMap((one) => one.trim() || []);
  if (kind === "json") return given ? JSON.parse(given) : name === "params" ? {} : null;
  if (given === "") return null;
  // What is no number goes as it is: the server says what it needs.
  return (kind === "whole" || kind === "share") && Number.isFinite(Number(given)) ? Number(given) : given;
}

function written(value: unknown, kind: Kind): string {
  if (value === null || value === undefined) return "";
  if (kind === "table") return (value as Table).path ?? valueOf(value);
  if (kind === "list") return (value as string[]).join(", ");
  if (kind === "json") return Object.keys(value as object).length > 0 ? JSON.stringify(value) : "";
  return String(value);
}
