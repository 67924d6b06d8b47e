/** What rules found of a job, as far as somebody wants to hear it. Not here: the rules, which the server has. */

import type { Alert, Job } from "../protocol";
import { trans } from "../words";

/** Those nobody has muted, the newest first; a record that was saved long ago knows of none. */
export function heard(job: Job | null): readonly Alert[] {
  const muted = job?.muted_rules ?? [];
  return (job?.alerts ?? []).filter((alert) => !muted.includes(alert.rule)).reverse();
}

/** What people call what a rule finds. */
export function titleOfRule(rule: string): string {
  switch (rule) {
    case "not_finite":
      return trans.__("Not finite");
    case "diverging":
      return trans.__("Diverging");
    case "overfitting":
      return trans.__("Overfitting");
    case "plateau":
      return trans.__("Plateau");
    case "stalled":
      return trans.__("Stalled");
    case "memory":
      return trans.__("Memory near the limit");
    default:
      // Of a newer server.
      return rule;
  }
}
