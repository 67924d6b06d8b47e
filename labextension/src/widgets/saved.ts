/** What a saved output or a widget's traits hold, read with care: a notebook may come from anywhere and any version. */

import type { Job, Point } from "../protocol";
import type { KeptSeries } from "../state/card";

export const MIME_TYPE = "application/vnd.mlops.job+json";

/** What is taken from the body of `application/vnd.mlops.job+json`. */
export interface SavedJob {
  version: 1;
  job_id: string;
  record?: Job | null;
  series?: KeptSeries;
  /** When it was saved, RFC 3339. */
  as_of?: string;
}

export function savedJob(data: unknown): SavedJob | null {
  if (!isObject(data) || data["version"] !== 1 || typeof data["job_id"] !== "string") return null;
  const job = jobIn(data["record"]);
  return {
    version: 1,
    job_id: data["job_id"],
    record: job?.job_id === data["job_id"] ? job : null,
    series: seriesIn(data["series"]),
    ...(typeof data["as_of"] === "string" && { as_of: data["as_of"] }),
  };
}

/** A record is taken when it has the parts without which nothing can be shown. */
export function jobIn(data: unknown): Job | null {
  if (!isObject(data) || typeof data["job_id"] !== "string" || typeof data["status"] !== "string") return null;
  if (!Array.isArray(data["stages"]) || !data["stages"].every(isObject)) return null;
  return { ...EMPTY, ...data } as Job;
}

export function seriesIn(data: unknown): KeptSeries {
  if (!isObject(data)) return {};
  const named = Object.entries(data).map(([name, points]): [string, Point[]] => [name, pointsIn(name, points)]);
  return Object.fromEntries(named.filter(([, points]) => points.length > 0));
}

/** `[step, value]`, or `[step, null, "nan"]` where the value is not finite. */
function pointsIn(name: string, data: unknown): Point[] {
  if (!Array.isArray(data)) return [];
  return data.flatMap((item): Point[] => {
    const [step, value, nf] = Array.isArray(item) ? item : [];
    if (typeof step !== "number" || (value !== null && typeof value !== "number")) return [];
    return [{ name, step, value, ...(value === null && { nf: nf === "+inf" || nf === "-inf" ? nf : "nan" }) }];
  });
}

function isObject(data: unknown): data is Record<string, unknown> {
  return typeof data === "object" && data !== null && !Array.isArray(data);
}

/** Fields that older records may lack. */
const EMPTY: Partial<Job> = {
  name: "",
  progress: null,
  reason: null,
  current_stage: null,
  start_time: null,
  end_time: null,
  elapsed_time: null,
  estimated_remaining: null,
  estimated_total_time: null,
  best: null,
  final_score: null,
  metrics: {},
  metric: null,
  greater_is_better: null,
  error: null,
  hint: null,
  traceback: null,
  signal: null,
  exit_code: null,
  log_tail: [],
  log_lines: 0,
  model_id: null,
  model_missing_reason: null,
  dataset: null,
  target: null,
  estimator: null,
  parameters: {},
  candidates: [],
  findings: [],
  versions: {},
  resources: { cpu_seconds: null, peak_memory_bytes: null },
  priority: 0,
  ahead: null,
  waiting_for: null,
  attempt: 1,
  rerun_of: null,
  pipeline: null,
  changes: [],
  followed_by: null,
  submitted_by: null,
  stopped_by: null,
  paused_by: null,
  paused_time: 0,
  unresponsive: false,
  unreadable: false,
};
