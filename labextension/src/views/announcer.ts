/** What a screen reader hears: start, stages, quarters and the end, at most one sentence in twelve seconds. */

import { heard } from "../state/alerts";
import type { Card } from "../state/card";
import { face, headline } from "../state/face";
import { figure } from "../state/figures";
import { trans } from "../words";
import { element, say } from "./element";
import { placeOf } from "./stages";

/** A job of a minute comes to six sentences. */
const EVERY_MS = 12_000;
const QUARTERS = [25, 50, 75];

export function mount(el: HTMLElement, card: Card, signal: AbortSignal): (next: Card) => void {
  const region = element("div", { class: "spoken", role: "status", "aria-live": "polite", "data-testid": "mlops-status" });
  el.append(region);
  let before = card;
  let saidAt = Number.NEGATIVE_INFINITY;
  let pending: string | null = null;
  let later: ReturnType<typeof setTimeout> | undefined;
  signal.addEventListener("abort", () => clearTimeout(later));

  const tell = (now: number) => {
    if (pending === null) return;
    clearTimeout(later);
    const early = saidAt + EVERY_MS - now;
    if (early > 0) {
      // By itself: after the end of a job nothing else may happen.
      later = setTimeout(() => tell(now + early), early);
      return;
    }
    say(region, pending);
    saidAt = now;
    pending = null;
  };
  return (next) => {
    pending = sentence(before, next) ?? pending;
    before = next;
    tell(next.now);
  };
}

/** What is worth saying of the way from one state to the next; null mostly. */
export function sentence(before: Card, next: Card): string | null {
  const [was, is] = [before.job, next.job];
  if (!is) return null;
  if (next.deleted !== null) return before.deleted === null ? `${is.name}: ${headline(next).word}` : null;
  const shown = face(next);
  if (shown !== face(before)) {
    if (shown === "failed") return null; // an alert of its own
    const score = shown === "finished" && is.final_score !== null ? `, ${is.metric} ${figure(is.final_score)}` : "";
    return `${is.name}: ${headline(next).word}${score}`;
  }
  if (shown !== "running") return null;
  const [alert] = heard(is);
  if (alert && was && alert.time !== heard(was)[0]?.time) return `${is.name}: ${alert.message}`;
  if (was && was.status !== is.status && [was.status, is.status].includes("paused")) return `${is.name}: ${headline(next).word}`;
  if (was?.current_stage !== is.current_stage && is.current_stage) return `${is.name}: ${placeOf(next)}`;
  const quarter = QUARTERS.findLast((q) => (is.progress ?? 0) >= q && (was?.progress ?? 0) < q);
  return quarter === undefined ? null : trans.__("%1: %2 percent", is.name, String(quarter));
}
