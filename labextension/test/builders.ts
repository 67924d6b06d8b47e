/** Records and events for tests: every field there, only what matters given. */

import {
  type Candidate,
  type Event,
  type Job,
  type MetricPoints,
  type Point,
  STAGES,
  type Stage,
  type TrainingProgress,
} from "../src/protocol";

export const JOB_ID = "j-7f3a2b4c5d6e";
export const TIME = "2026-11-21T14:02:00.000Z";

export function aStage(fields: Partial<Stage> = {}): Stage {
  return {
    name: "Training model",
    state: "pending",
    share: 0.125,
    started: null,
    elapsed: null,
    done: null,
    total: null,
    unit: null,
    detail: null,
    skipped_reason: null,
    ...fields,
  };
}

/** Eight stages: those before `current` done, `current` with the given fields, the rest pending. */
export function stagesAt(current: number, fields: Partial<Stage> = {}): Stage[] {
  return STAGES.map((name, i) => {
    if (i < current) return aStage({ name, state: "done", started: i * 0.5, elapsed: 0.5 });
    if (i === current) return aStage({ name, state: "running", started: i * 0.5, ...fields });
    return aStage({ name });
  });
}

export function aJob(fields: Partial<Job> = {}): Job {
  return {
    job_id: JOB_ID,
    name: "digits-mlp",
    status: "running",
    reason: null,
    progress: 58,
    current_stage: "Training model",
    stages: stagesAt(4, { done: 23, total: 40, unit: "epoch" }),
    stages_completed: 4,
    submitted_time: TIME,
    start_time: TIME,
    end_time: null,
    estimated_total_time: 10,
    elapsed_time: 6,
    estimated_remaining: 4,
    live_accuracy: null,
    live_metrics: {},
    best: null,
    final_accuracy: null,
    final_score: null,
    metrics: {},
    report: {},
    predictions_processed: 0,
    message: "",
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
    target: "digit",
    task: "classification",
    metric: "accuracy",
    greater_is_better: true,
    classes: null,
    estimator: "MLPClassifier",
    parameters: {},
    candidates: [],
    findings: [],
    alerts: [],
    muted_rules: [],
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
    owner: null,
    process: null,
    ...fields,
  } as Job;
}

export function aCandidate(fields: Partial<Candidate> = {}): Candidate {
  return {
    index: 0,
    label: "logistic",
    stage: "Model selection",
    parameters: {},
    scores: [null, null, null],
    mean: null,
    spread: null,
    seconds: 0,
    chosen: false,
    error: null,
    ...fields,
  };
}

export function points(name: string, values: readonly (number | null)[], from = 1): Point[] {
  return values.map((value, i) => ({ name, step: from + i, value, elapsed: i, ...(value === null && { nf: "nan" }) }));
}

export function metricPoints(seq: number, ...measured: Point[]): MetricPoints {
  return { type: "metric_points", time: TIME, seq, priority: "low", job_id: JOB_ID, points: measured };
}

export function progressed(seq: number, fields: Partial<TrainingProgress> = {}): TrainingProgress {
  return {
    type: "training_progress",
    time: TIME,
    seq,
    priority: "low",
    job_id: JOB_ID,
    status: "running",
    progress: 60,
    current_stage: "Training model",
    message: "",
    elapsed_time: 7,
    estimated_remaining: 3,
    estimated_total_time: 10,
    live_metrics: {},
    live_accuracy: null,
    best: null,
    stages_completed: 4,
    predictions_processed: 0,
    stage: null,
    job: null,
    ...fields,
  };
}

/** Log lines are the smallest event with a place in the order. */
export function aChange(cause: string): Event {
  const base = { time: TIME, seq: null, priority: "medium" } as const;
  return { ...base, type: "health_change", machine: "ada", previous_health: "healthy", current_health: "warning", metrics: {}, cause };
}

export function anEvent(seq: number): Event {
  return { type: "log_lines", time: TIME, seq, priority: "low", job_id: JOB_ID, first: seq, lines: [`line ${seq}`] };
}
