// Generated from the events in mlops_jupyter/core; do not edit.
// python -m mlops_jupyter.core.protocol > labextension/src/protocol.ts

export const STAGES = ["Data validation", "Data preprocessing", "Feature engineering", "Model selection", "Training model", "Model validation", "Performance evaluation", "Finalizing model"] as const;
export const TERMINAL = ["cancelled", "completed", "failed", "lost"] as const;
/** Bytes, of `core/limits.py`. */
export const LEAST_CHUNK = 262144;

/** One row of the activity feed; ``subject`` is the id of what it is about, null for the machine. */
export interface Activity {
  id: string;
  kind: "dataset" | "job" | "machine" | "model" | "pipeline";
  subject: string | null;
  title: string;
  description: string;
  status: "error" | "info" | "success" | "warning";
  timestamp: string;
}

/** What a ``rule`` found of the job, in one sentence, and its ``evidence``: the numbers and steps it saw. ``metric`` is null where it is about none. */
export interface Alert {
  rule: string;
  message: string;
  time: string;
  metric: string | null;
  evidence: Record<string, number | number | string | null>;
}

/** The best live value of the main metric on validation rows, and its step. */
export interface Best {
  name: string;
  value: number;
  step: number;
}

/** One configuration compared in stage 4, or the chosen one over the folds of stage 6. ``scores`` has one entry a fold (null: not scored yet, or failed). */
export interface Candidate {
  index: number;
  label: string;
  stage: string;
  parameters: Record<string, unknown>;
  scores: Array<number | null>;
  mean: number | null;
  spread: number | null;
  seconds: number;
  chosen: boolean;
  error: string | null;
}

/** In what an attempt differs from the one it repeats: an option, or a parameter by its own name. */
export interface Change {
  name: string;
  before: unknown;
  after: unknown;
}

/** The data a job uses; ``id`` is null for a table that is no registered dataset. */
export interface Dataset {
  name: string;
  id: string | null;
  version: number | null;
  hash: string | null;
  rows: number | null;
  columns: number | null;
}

/** What a person should know of the data, or of what became of the job; ``fatal`` ones stopped it. */
export interface Finding {
  code: string;
  message: string;
  severity: "fatal" | "info" | "warning";
  column: string | null;
}

/** One NVIDIA device as its driver tells; memory in bytes. */
export interface Gpu {
  name: string;
  percent: number | null;
  memory_used: number | null;
  memory_limit: number | null;
}

/** The whole machine, whoever else uses it; ``cpus`` counts its CPUs, memory is in bytes. */
export interface Host {
  cpu_percent: number | null;
  cpus: number | null;
  memory_percent: number | null;
  memory_used: number | null;
  memory_limit: number | null;
}

/** The job's record: body of ``GET jobs/{id}`` and state of the card. Unknown is null. Times of day are UTC, durations are seconds, ``progress`` is 0–100 and null while nothing is known. ``live_accuracy`` is measured on up to 1,000 validation rows while fitting, ``final_accuracy`` on the hold-out; both null for regression. ``live_metrics`` holds the last value of each live metric. ``model_id`` is null until the model is saved. ``outcome`` is what the worker said of itself before it ended, ``expected_seconds`` what the stages of earlier jobs with the same estimator took. ``paused_by`` asked for the last pause, ``paused_time`` is how long all pauses took that are over; no other duration counts them. ``attempt`` counts the reruns of a job: ``rerun_of`` is the one this repeats, with ``changes``; ``followed_by`` is the next attempt. Of a job that was run from a ``pipeline``, ``changes`` are those made to its recipe. ``unresponsive``: no process of the job has run for 30 s; whatever that means, ``status`` stays as it is. ``alerts``: each rule speaks once of a metric; those of ``muted_rules`` say no more, and what they said is not shown. ``unreadable``: of this record only id and status are known; it is damaged, or of another version. */
export interface Job {
  job_id: string;
  name: string;
  status: "cancelled" | "completed" | "failed" | "lost" | "paused" | "queued" | "running" | "starting" | "stopping";
  reason: "cancelled" | "error" | "exited_early" | "lost" | "not_started" | "oom_killed" | "signal" | "timeout" | null;
  progress: number | null;
  current_stage: string | null;
  stages: Array<Stage>;
  stages_completed: number;
  submitted_time: string | null;
  start_time: string | null;
  end_time: string | null;
  estimated_total_time: number | null;
  elapsed_time: number | null;
  estimated_remaining: number | null;
  live_accuracy: number | null;
  live_metrics: Record<string, number | null>;
  best: Best | null;
  final_accuracy: number | null;
  final_score: number | null;
  metrics: Record<string, number | null>;
  report: Record<string, unknown>;
  predictions_processed: number;
  message: string;
  error: string | null;
  hint: string | null;
  traceback: string | null;
  signal: number | null;
  exit_code: number | null;
  log_tail: Array<string>;
  log_lines: number;
  model_id: string | null;
  model_file: SavedModel | null;
  model_missing_reason: string | null;
  dataset: Dataset | null;
  target: string | null;
  task: string | null;
  metric: string | null;
  greater_is_better: boolean | null;
  classes: Array<string> | null;
  estimator: string | null;
  parameters: Record<string, unknown>;
  candidates: Array<Candidate>;
  findings: Array<Finding>;
  alerts: Array<Alert>;
  muted_rules: Array<string>;
  versions: Record<string, string>;
  resources: Resources;
  priority: number;
  ahead: number | null;
  waiting_for: "memory" | "place" | null;
  attempt: number;
  rerun_of: string | null;
  changes: Array<Change>;
  followed_by: string | null;
  pipeline: Origin | null;
  outcome: "failed" | "finished" | null;
  expected_seconds: Record<string, number>;
  unresponsive: boolean;
  unreadable: boolean;
  submitted_by: string | null;
  stopped_by: string | null;
  paused_by: string | null;
  paused_time: number;
  owner: string | null;
  process: Process | null;
}

/** Bytes a second, all interfaces but the loopback together. */
export interface Network {
  received: number;
  sent: number;
}

/** The pipeline a job was run from, and which version of it. */
export interface Origin {
  id: string;
  name: string;
  version: number;
}

/** One measured value of one metric. ``step`` counts the units of the fit (iteration, tree, epoch), from 1. A value that is not finite has ``value`` null and its kind in ``nf``. ``elapsed`` is seconds since the job began. */
export interface Point {
  name: string;
  step: number;
  value: number | null;
  nf?: "+inf" | "-inf" | "nan" | null;
  elapsed?: number;
}

/** Identity of a keeper: a pid alone proves nothing, since pids are reused. */
export interface Process {
  pid: number;
  ticks: number;
  boot_id: string;
  pid_namespace: string;
}

/** Of the worker's whole process tree: CPU seconds, and the highest memory seen, in bytes. */
export interface Resources {
  cpu_seconds: number | null;
  peak_memory_bytes: number | null;
}

/** The model file a job wrote, and what it takes and gives (``signature``). */
export interface SavedModel {
  sha256: string;
  bytes: number;
  signature: Record<string, unknown>;
}

/** One of the eight stages as a job's record shows it. ``share`` is the expected part of the job's time (0–1), ``done``/``total`` count finished units (folds, trees, epochs …; ``total`` null when the length is unknown), ``elapsed`` is in seconds. */
export interface Stage {
  name: string;
  state: "cancelled" | "done" | "failed" | "pending" | "running" | "skipped";
  share: number;
  started: number | null;
  elapsed: number | null;
  done: number | null;
  total: number | null;
  unit: string | null;
  detail: string | null;
  skipped_reason: string | null;
}

/** What a job or a kernel takes, with all processes below it; null where it cannot be seen. ``cpu_percent`` is of one CPU, so that two at work are 200. ``memory`` is in bytes: of several processes each one's share of its pages, of a single one all that it has in memory, also what it shares with others; ``peak`` the most of it in any sample. */
export interface Use {
  id: string;
  cpu_percent: number | null;
  memory: number | null;
  peak: number | null;
  processes: number;
}

/** A job moved: on each change of stage, else at most four a second a job. ``stage`` is the stage that moved. ``job`` is the whole record on a change of stage or status, null otherwise: a ten-hour job must not store its record ten thousand times. */
export interface TrainingProgress {
  type: "training_progress";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  job_id: string;
  status: string;
  progress: number | null;
  current_stage: string | null;
  message: string;
  elapsed_time: number | null;
  estimated_remaining: number | null;
  estimated_total_time: number | null;
  live_metrics: Record<string, number | null>;
  live_accuracy: number | null;
  best: Best | null;
  stages_completed: number;
  predictions_processed: number;
  stage: Stage | null;
  job: Job | null;
}

/** A job came to its end and its numbers are final. */
export interface TrainingCompleted {
  type: "training_completed";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  job_id: string;
  status: string;
  final_accuracy: number | null;
  metric: string | null;
  final_score: number | null;
  metrics: Record<string, number | null>;
  model_id: string | null;
  elapsed_time: number | null;
  job: Job;
}

/** A job ended without a result: ``failed``, or ``lost`` when its processes vanished. */
export interface TrainingFailed {
  type: "training_failed";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  job_id: string;
  status: string;
  reason: string | null;
  error: string | null;
  traceback: string | null;
  log_lines: Array<string>;
  stage: string | null;
  job: Job;
}

/** One sample of what Jupyter's server lives in; numbers not measured are null. ``cpu_percent`` is of the ``cpus`` that may be used, memory of what may be taken: the container's where one has a limit, which the scopes tell; ``host`` is the machine. ``levels`` says which figures make the ``health`` what it is. Sizes are in bytes, ``uptime`` is the machine's in seconds. ``api_response_ms`` and ``ws_response_ms`` are medians of the last minute. */
export interface SystemMetrics {
  type: "system_metrics";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  cpu_percent: number | null;
  cpus: number | null;
  cpu_scope: "container" | "host";
  memory_percent: number | null;
  memory_used: number | null;
  memory_limit: number | null;
  memory_scope: "container" | "host";
  host: Host;
  health: "critical" | "healthy" | "warning";
  levels: Record<string, "critical" | "healthy" | "warning">;
  disk_percent: number | null;
  disk_used: number | null;
  disk_limit: number | null;
  active_connections: number | null;
  network: Network | null;
  process_count: number | null;
  uptime: number | null;
  load_average: [number, number, number] | null;
  api_response_ms: number | null;
  ws_response_ms: number | null;
  gpu: Array<Gpu>;
  jobs: Array<Use>;
  kernels: Array<Use>;
}

/** The machine's health changed; ``cause`` names the figure that did it, ``machine`` the host: several may share a store. */
export interface HealthChange {
  type: "health_change";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  machine: string;
  previous_health: "critical" | "healthy" | "warning";
  current_health: "critical" | "healthy" | "warning";
  metrics: Record<string, number | null>;
  cause: string;
}

/** Bytes of an upload have arrived. */
export interface UploadProgress {
  type: "upload_progress";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  upload_id: string;
  filename: string;
  bytes_sent: number;
  bytes_total: number;
  percent: number;
}

/** An upload is a version of a dataset now. */
export interface UploadCompleted {
  type: "upload_completed";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  upload_id: string;
  filename: string;
  dataset_id: string;
  version: number;
  rows: number;
  columns: number;
}

/** An upload could not be read; ``line`` where that is known. */
export interface UploadFailed {
  type: "upload_failed";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  upload_id: string;
  filename: string;
  error: string;
  line: number | null;
}

/** Something a person may care about happened. */
export interface ActivityUpdate {
  type: "activity_update";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  activity: Activity;
}

/** A model changed its status; ``previous`` is null when it was registered. ``by`` is null where nobody asked for it, ``why`` is told of one that failed. */
export interface ModelStatus {
  type: "model_status";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  model_id: string;
  name: string;
  version: number;
  previous: string | null;
  status: "deployed" | "deploying" | "failed" | "registered" | "retired";
  by: string | null;
  why: string | null;
}

/** A deployed model's endpoint answered for the first time; ``endpoint`` is where, below ``base_url``. */
export interface ModelDeployed {
  type: "model_deployed";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  model_id: string;
  model_name: string;
  version: number;
  model_accuracy: number | null;
  endpoint: string;
  endpoint_id: string;
}

/** How much a deployed model predicts, in all and a minute (``rate``, of one server); ``milestone`` when one was come to, which is merged with nothing. */
export interface PredictionVolume {
  type: "prediction_volume";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  model_id: string;
  name: string;
  version: number;
  total_predictions: number;
  rate: number | null;
  milestone: number | null;
}

/** A pipeline was created, or is there again after it was deleted (``restored``). */
export interface PipelineCreated {
  type: "pipeline_created";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  id: string;
  name: string;
  version: number;
  actor: string;
  restored: boolean;
}

/** A pipeline has a new version. */
export interface PipelineUpdated {
  type: "pipeline_updated";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  id: string;
  name: string;
  version: number;
  actor: string;
  changed_fields: Array<string>;
}

/** A pipeline was deleted; for a day it can be restored. */
export interface PipelineDeleted {
  type: "pipeline_deleted";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  id: string;
  name: string;
  version: number;
  actor: string;
}

/** A dataset was created. */
export interface DatasetCreated {
  type: "dataset_created";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  id: string;
  name: string;
  version: number;
  rows: number;
  columns: number;
  hash: string;
}

/** A dataset has a new version. */
export interface DatasetUpdated {
  type: "dataset_updated";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  id: string;
  name: string;
  version: number;
  rows: number;
  columns: number;
  hash: string;
}

/** What a model is asked is not like what it was trained on: once a column, level and version while it lasts. ``message`` is one sentence; ``rows`` were predicted in the last 24 hours. */
export interface DriftRaised {
  type: "drift_raised";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  model_id: string;
  name: string;
  version: number;
  column: string;
  level: "drift" | "warning";
  psi: number;
  ks: number | null;
  rows: number;
  message: string;
}

/** A job was accepted and waits for its place. */
export interface TrainingQueued {
  type: "training_queued";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  job_id: string;
  ahead: number;
  job: Job;
}

/** A job left the queue, or its worker began the user's code. */
export interface TrainingStarted {
  type: "training_started";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  job_id: string;
  job: Job;
}

/** Every process of a job is suspended; it keeps its place and its memory. */
export interface TrainingPaused {
  type: "training_paused";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  job_id: string;
  by: string;
  job: Job;
}

/** A paused job goes on. No duration in its record counts the pause. */
export interface TrainingResumed {
  type: "training_resumed";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  job_id: string;
  job: Job;
}

/** A job was run again, whatever became of it: its record names the next attempt. */
export interface TrainingFollowed {
  type: "training_followed";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  job_id: string;
  followed_by: string;
  job: Job;
}

/** A job was stopped by somebody; what it measured is kept. */
export interface TrainingCancelled {
  type: "training_cancelled";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  job_id: string;
  status: string;
  by: string;
  job: Job;
}

/** A job that had ended is gone, with its metrics and its log. ``model_id`` is the model that it made and that stays, null where there is none; ``status`` is how the job had ended. */
export interface JobDeleted {
  type: "job_deleted";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  job_id: string;
  name: string;
  status: string;
  attempt: number;
  model_id: string | null;
  by: string;
}

/** A rule found something in what a job measures or takes: once a rule, metric and job. ``message`` is one sentence, ``evidence`` the numbers and steps behind it; ``metric`` is null where it is about none. */
export interface AlertRaised {
  type: "alert_raised";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  job_id: string;
  rule: string;
  metric: string | null;
  message: string;
  evidence: Record<string, number | number | string | null>;
  job: Job;
}

/** Somebody wants to hear no more of a rule about this job (``muted``), or again. */
export interface AlertMuted {
  type: "alert_muted";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  job_id: string;
  rule: string;
  muted: boolean;
  by: string;
  job: Job;
}

/** Measured values, in the order they were measured. */
export interface MetricPoints {
  type: "metric_points";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  job_id: string;
  points: Array<Point>;
}

/** Folds of candidates were scored; each entry is a candidate's whole state. */
export interface CandidateScores {
  type: "candidate_scores";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  job_id: string;
  candidates: Array<Candidate>;
}

/** Lines a job wrote to stdout or stderr; ``first`` is the number of the first, from 0. */
export interface LogLines {
  type: "log_lines";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  job_id: string;
  first: number;
  lines: Array<string>;
}

/** An alias of a name belongs to another version: from now on to ``model_id``, null when to none any more; before to ``previous``, null when to none. */
export interface ModelAliased {
  type: "model_aliased";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  name: string;
  alias: string;
  model_id: string | null;
  version: number | null;
  previous: string | null;
  by: string;
}

/** A model and its file are gone; its version is never given again. The job's record says so; it is null when that was deleted before. */
export interface ModelDeleted {
  type: "model_deleted";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  model_id: string;
  name: string;
  version: number;
  by: string;
  job_id: string;
  job: Job | null;
}

/** An upload was cancelled, and nothing of it stays. */
export interface UploadCancelled {
  type: "upload_cancelled";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  upload_id: string;
  filename: string;
  by: string;
}

/** A dataset and all of its versions are gone. */
export interface DatasetDeleted {
  type: "dataset_deleted";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  id: string;
  name: string;
  by: string;
}

/** First message of a stream. */
export interface Hello {
  type: "hello";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  epoch: string;
  head: number;
  server_time: string;
  heartbeat: number;
  version: string;
}

/** The jobs as of ``head``: all that live, and the newest that ended. */
export interface Snapshot {
  type: "snapshot";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  head: number;
  jobs: Array<Job>;
}

/** The cursor cannot be resumed from; drop what is known, a snapshot follows. */
export interface Reset {
  type: "reset";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  epoch: string;
  why: string;
}

/** The server's heartbeat; answer at once with ``{"type": "pong", "nonce": …}``. ``rtt`` is the round trip the server measured with the pong before, in seconds. */
export interface Ping {
  type: "ping";
  time: string;
  seq: number | null;
  priority: "high" | "low" | "medium";
  nonce: number;
  rtt: number | null;
}

export type Event =
  | TrainingProgress
  | TrainingCompleted
  | TrainingFailed
  | SystemMetrics
  | HealthChange
  | UploadProgress
  | UploadCompleted
  | UploadFailed
  | ActivityUpdate
  | ModelStatus
  | ModelDeployed
  | PredictionVolume
  | PipelineCreated
  | PipelineUpdated
  | PipelineDeleted
  | DatasetCreated
  | DatasetUpdated
  | DriftRaised
  | TrainingQueued
  | TrainingStarted
  | TrainingPaused
  | TrainingResumed
  | TrainingFollowed
  | TrainingCancelled
  | JobDeleted
  | AlertRaised
  | AlertMuted
  | MetricPoints
  | CandidateScores
  | LogLines
  | ModelAliased
  | ModelDeleted
  | UploadCancelled
  | DatasetDeleted
  | Hello
  | Snapshot
  | Reset
  | Ping;
