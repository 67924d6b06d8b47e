/** What was chosen on the charts of a job, kept by the browser's tab: also after a reload. */

import { type Look, lookIn } from "../state/look";

const key = (jobId: string) => `mlops_jupyter:look:${jobId}`;

export function keptLook(jobId: string): Partial<Look> {
  try {
    return lookIn(JSON.parse(sessionStorage.getItem(key(jobId)) ?? "null"));
  } catch {
    // Frames without storage, and what is no JSON.
    return {};
  }
}

export function keepLook(jobId: string, chosen: Partial<Look>): void {
  try {
    sessionStorage.setItem(key(jobId), JSON.stringify(chosen));
  } catch {
    // Without storage it holds as long as the card does.
  }
}
