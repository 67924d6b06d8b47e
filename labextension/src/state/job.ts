/** How events change a job's record. The server reckons; here its words are only put together again. */

import { type Event, type Job, type Stage, TERMINAL, type TrainingProgress } from "../protocol";
import { merged } from "./candidates";

export function isOver(job: Job): boolean {
  return (TERMINAL as readonly string[]).includes(job.status);
}

/** Over, but open to another attempt: its card leads on when there is one. */
export function endedWithoutResult(job: Job): boolean {
  return isOver(job) && job.status !== "completed";
}

/** The record after `event`; the same object when it says nothing of this record. */
export function told(job: Job | null, jobId: string, event: Event): Job | null {
  if (!("job_id" in event) || event.job_id !== jobId) return job;
  if ("job" in event && event.job) return succeed(job, event.job);
  if (!job) return job;
  switch (event.type) {
    case "training_progress":
      return succeed(job, moved(job, event));
    case "candidate_scores":
      return { ...job, candidates: merged(job.candidates, event.candidates) };
    default:
      return job;
  }
}

/** `next` in place of `job`; within one attempt no bar ever goes back. */
export function succeed(job: Job | null, next: Job): Job {
  if (!job || job.attempt !== next.attempt || job.progress === null) return next;
  if (next.progress !== null && next.progress >= job.progress) return next;
  return { ...next, progress: job.progress };
}

function moved(job: Job, event: TrainingProgress): Job {
  const { type: _type, time: _time, seq: _seq, priority: _priority, job: _job, stage, status, ...said } = event;
  return {
    ...job,
    ...said,
    status: status as Job["status"],
    stages: stage ? job.stages.map((before) => (before.name === stage.name ? stage : before)) : job.stages,
  };
}

/** The stage being worked on (or that a job stopped in), and its place, from 1. */
export function currentStage(job: Job): { stage: Stage; place: number } | null {
  const at = job.stages.findIndex((stage) => stage.name === job.current_stage);
  const stage = job.stages[at];
  return stage ? { stage, place: at + 1 } : null;
}

/** Why the model of a job that went through could not be kept; null where it was, or where there was none to keep. */
export function notKept(job: Job): string | null {
  return job.status === "completed" && job.model_id === null ? job.model_missing_reason : null;
}

/** The line of code that gets the job. */
export function code(jobId: string): string {
  return `mlops.get("${shortId(jobId)}")`;
}

/** The beginning of an id that tells jobs apart; what people type. */
export function shortId(jobId: string): string {
  return jobId.slice(0, 6);
}
