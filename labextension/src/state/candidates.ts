/** Configurations compared, fold by fold: put together from events, and put in order. */

import type { Candidate, Job } from "../protocol";

/** `incoming` in place of what was known of the same configuration of the same stage. */
export function merged(known: readonly Candidate[], incoming: readonly Candidate[]): Candidate[] {
  const byPlace = new Map(known.map((candidate) => [place(candidate), candidate]));
  for (const candidate of incoming) byPlace.set(place(candidate), candidate);
  return [...byPlace.values()];
}

/** Those of one stage, best mean first; those without a mean last, in the order they were named. */
export function ranked(job: Job, stage: string): Candidate[] {
  const direction = job.greater_is_better === false ? 1 : -1;
  return job.candidates
    .filter((candidate) => candidate.stage === stage)
    .sort((a, b) => {
      if (a.mean === null || b.mean === null) return Number(a.mean === null) - Number(b.mean === null) || a.index - b.index;
      return direction * (a.mean - b.mean) || a.index - b.index;
    });
}

/** The stage whose candidates say most: the comparison where there was one, the folds of the chosen one otherwise. */
export function comparedIn(job: Job): string | null {
  const stages = new Set(job.candidates.map((candidate) => candidate.stage));
  return job.stages.find((stage) => stages.has(stage.name))?.name ?? null;
}

function place(candidate: Candidate): string {
  return `${candidate.index} ${candidate.stage}`;
}
