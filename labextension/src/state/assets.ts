/**
 * What the server keeps beside jobs, as a part of the page's state: datasets, models, the endpoints where they answer,
 * pipelines, and uploads on their way. Not here: who asks for the lists (lab/page.ts), and the words of a row (datasets, models).
 */

import type { Dataset as Used, Event } from "../protocol";
import type { Pipeline } from "./pipelines";
import { heardUploads, type Upload } from "./uploads";

export interface DatasetVersion {
  version: number;
  sha256: string;
  bytes: number;
  rows: number;
  columns: number;
  format: string;
  filename: string;
  created: string;
  created_by: string;
  /** Of a file that was registered where it is. */
  path: string | null;
}

/** The oldest version first; there is one at least. */
export interface Dataset {
  id: string;
  name: string;
  versions: DatasetVersion[];
}

export interface Column {
  name: string;
  kind: string;
  dtype: string;
  missing: boolean;
}

export interface Model {
  model_id: string;
  name: string;
  version: number;
  aliases: string[];
  status: "registered" | "deploying" | "deployed" | "failed" | "retired";
  created: string;
  estimator: string | null;
  parameters: Record<string, unknown>;
  task: string | null;
  target: string | null;
  metric: string | null;
  score: number | null;
  metrics: Record<string, number | null>;
  split: { rule: string; test_size: number | null; test: string | null; cv: number; refit: boolean; seed: number } | null;
  signature: { inputs?: Column[]; output?: { name: string; kind: string; classes: string[] | null } };
  environment: Record<string, string>;
  provenance: { job_id: string; job_deleted?: boolean; submitted_by: string | null; dataset: Used | null };
  sha256: string;
  size: number;
}

/** Where the models of a name answer. Until `next_model_id` does, `model_id` goes on. */
export interface Endpoint {
  endpoint_id: string;
  name: string;
  status: "deploying" | "deployed" | "failed" | "undeployed";
  changed: string;
  model_id: string | null;
  version: number | null;
  next_model_id: string | null;
  /** Models that answered before; the last is what a rollback brings back. */
  history: string[];
  error: string | null;
  /** Of the version that answers. */
  total_predictions?: number | null;
}

/** What was predicted by a model, as it was told last. */
export interface Volume {
  total: number;
  /** A minute. */
  rate: number | null;
}

export interface Assets {
  /** Null while the server has not said which there are. The newest first. */
  datasets: readonly Dataset[] | null;
  models: readonly Model[] | null;
  endpoints: readonly Endpoint[] | null;
  /** By name. */
  pipelines: readonly Pipeline[] | null;
  /** By the model's id. */
  volumes: ReadonlyMap<string, Volume>;
  uploads: readonly Upload[];
  /** How many a file may have; null while the server has not said so. */
  upload_bytes: number | null;
}

export type List = "datasets" | "models" | "endpoints" | "pipelines";
export type Lists = Partial<Pick<Assets, List | "upload_bytes">>;

export const NO_ASSETS: Assets = { datasets: null, models: null, endpoints: null, pipelines: null, volumes: new Map(), uploads: [], upload_bytes: null };

/** An answer has other things in it, too. */
export function listed(assets: Assets, { datasets, models, endpoints, pipelines, upload_bytes }: Lists): Assets {
  const volumes = new Map(assets.volumes);
  for (const { model_id, total_predictions: total } of endpoints ?? []) {
    if (model_id !== null && typeof total === "number") volumes.set(model_id, { rate: null, ...volumes.get(model_id), total });
  }
  const lists = { ...(datasets && { datasets }), ...(models && { models }), ...(endpoints && { endpoints }), ...(pipelines && { pipelines }) };
  return { ...assets, volumes, ...lists, ...(upload_bytes && { upload_bytes }) };
}

export function heard(assets: Assets, events: readonly Event[]): Assets {
  const uploads = heardUploads(assets.uploads, events);
  const counts = events.filter((event) => event.type === "prediction_volume");
  if (uploads === assets.uploads && counts.length === 0) return assets;
  const told = counts.map(({ model_id, total_predictions, rate }) => [model_id, { total: total_predictions, rate }] as const);
  return { ...assets, uploads, volumes: new Map([...assets.volumes, ...told]) };
}

/** Lists that are others after these events: they are asked for again. */
export function outdated(events: readonly Event[]): ReadonlySet<List> {
  const lists = new Set<List>();
  for (const { type } of events) {
    if (type.startsWith("dataset_") || type === "upload_completed") lists.add("datasets");
    else if (type.startsWith("model_")) lists.add("models").add("endpoints");
    else if (type.startsWith("pipeline_")) lists.add("pipelines");
  }
  return lists;
}
