/** Datasets and models for tests: every field there, only what matters given. */

import type { Dataset, DatasetVersion, Endpoint, Model } from "../src/state/assets";
import type { ModelSight, Monitoring } from "../src/state/modelcard";
import type { Pipeline } from "../src/state/pipelines";
import type { DatasetSight, Preview } from "../src/state/preview";
import { TIME } from "./builders";

export const DATASET_ID = "d-1a2b3c4d5e6f";
export const MODEL_ID = "m-7f3a2b4c5d6e";
export const ENDPOINT_ID = "e-9f8e7d6c5b4a";
export const PIPELINE_ID = "p-7f3a00000000";
export const NOW = Date.parse(TIME) + 120_000;

export function aVersion(fields: Partial<DatasetVersion> = {}): DatasetVersion {
  return {
    ...{ version: 1, sha256: "9c1f00".padEnd(64, "0"), bytes: 912_345, rows: 7043, columns: 21, format: "csv" },
    ...{ filename: "customers.csv", created: TIME, created_by: "ada", path: null },
    ...fields,
  };
}

export function aDataset(fields: Partial<Dataset> = {}): Dataset {
  return { id: DATASET_ID, name: "customers", versions: [aVersion()], ...fields };
}

export function aPreview(fields: Partial<Preview> = {}): Preview {
  return {
    columns: [
      {
        ...{ name: "tenure", kind: "number", dtype: "int64", missing: 0, distinct: 73, warnings: [] },
        histogram: { edges: [0, 24, 48, 72], counts: [3000, 1000, 3043] },
      },
      {
        ...{ name: "churn", kind: "text", dtype: "str", missing: 11, distinct: 2, warnings: [] },
        top: [{ value: "No", count: 5163 }, { value: "Yes", count: 1869 }],
      },
    ],
    rows: [[1, "No"], [34, null]],
    problems: [{ column: "TotalCharges", message: "11 blanks read as text" }],
    suggested_target: { name: "churn", reason: "two values, the last column" },
    profiled_rows: 7043,
    ...fields,
  };
}

export function aDatasetSight(fields: Partial<DatasetSight> = {}): DatasetSight {
  const lineage = { jobs: [{ job_id: "j-7f3a2b4c5d6e", name: "churn-rf", status: "completed", used_as: "test" as const }], models: [{ model_id: MODEL_ID, name: "churn-rf", version: 4, used_as: "training" as const }] };
  return { id: DATASET_ID, dataset: aDataset(), version: null, preview: aPreview(), lineage, trouble: null, now: NOW, ...fields };
}

export function aModel(fields: Partial<Model> = {}): Model {
  return {
    ...{ model_id: MODEL_ID, name: "churn-rf", version: 4, aliases: ["champion"], status: "registered", created: TIME },
    ...{ estimator: "RandomForestClassifier", parameters: { n_estimators: 200 }, task: "classification", target: "churn" },
    ...{ metric: "accuracy", score: 0.9312, metrics: { test_accuracy: 0.9312, cv_mean: 0.91 } },
    split: { rule: "random", test_size: 0.2, test: null, cv: 5, refit: false, seed: 0 },
    signature: {
      inputs: [
        { name: "tenure", kind: "number", dtype: "int64", missing: false },
        { name: "contract", kind: "text", dtype: "str", missing: true },
        { name: "senior", kind: "boolean", dtype: "bool", missing: false },
      ],
      output: { name: "churn", kind: "class", classes: ["No", "Yes"] },
    },
    environment: { python: "3.12.3", "scikit-learn": "1.9.1" },
    provenance: { job_id: "j-7f3a2b4c5d6e", submitted_by: "ada", dataset: { name: "customers", id: DATASET_ID, hash: aVersion().sha256, rows: 7043, columns: 21, version: 1 } },
    ...{ sha256: "ab".repeat(32), size: 1_234_567 },
    ...fields,
  } as Model;
}

export function anEndpoint(fields: Partial<Endpoint> = {}): Endpoint {
  return {
    ...{ endpoint_id: ENDPOINT_ID, name: "churn-rf", status: "deployed", changed: TIME, model_id: MODEL_ID, version: 4 },
    ...{ next_model_id: null, history: [], error: null },
    ...fields,
  } as Endpoint;
}

export function aMonitoring(fields: Partial<Monitoring> = {}): Monitoring {
  return {
    ...{ total: 1204, requests: 1000, errors: 2, rate: 12, p50: 0.009, p95: 0.018 },
    hours: [{ hour: "2026-11-21T13:00:00Z", predictions: 1000, errors: 2 }, { hour: "2026-11-21T14:00:00Z", predictions: 204, errors: 0 }],
    drift: { tenure: { psi: 0.31, ks: 0.2, level: "drift", rows: 900 }, contract: { psi: 0.01, ks: null, level: "none", rows: 900 } },
    ...{ drift_reason: null, unwatched: ["since"] },
    ...fields,
  };
}

export function aModelSight(fields: Partial<ModelSight> = {}): ModelSight {
  return {
    ...{ id: MODEL_ID, models: [aModel()], endpoint: null, monitoring: null, differs: [], example: null, history: null, answer: null, faults: [], busy: null, trouble: null },
    ...{ baseUrl: "http://localhost:8888/user/x/", now: NOW },
    ...fields,
  };
}

export function aPipeline(fields: Partial<Pipeline> = {}): Pipeline {
  const data = { path: "/data/customers.csv", name: "customers.csv" };
  const recipe = { data, target: "churn", model: "rf", params: { max_depth: 3 }, grid: null, cv: 5, drop: ["id"], split: "random", test_size: 0.2, refit: false };
  return { id: PIPELINE_ID, name: "churn", version: 3, newest: 3, recipe, updated: TIME, by: "ada", versions: null, ...fields };
}
