/** The card's pictures: curves, or the comparison of candidates; and the buttons that switch between them. */

import type { Job } from "../protocol";
import type { Act } from "../state/actions";
import type { Card } from "../state/card";
import { comparedIn } from "../state/candidates";
import { face } from "../state/face";
import { notKept } from "../state/job";
import { trans } from "../words";
import { mount as mountCandidates } from "./candidates";
import { mount as mountCharts } from "./charts";
import { attribute, element, say, show } from "./element";

type Picture = "curves" | "candidates";

/** `tools` is where the buttons go. */
export function mount(el: HTMLElement, tools: HTMLElement, card: Card, signal: AbortSignal, act: Act): (next: Card) => void {
  const empty = element("p", { class: "empty", "data-testid": "mlops-empty" });
  const curves = element("div", {});
  const compared = element("div", {});
  const body = element("div", { class: "body", "data-testid": "mlops-body" }, curves, compared, empty);
  el.append(body);
  let shown = card;
  /** What the user chose; null follows the job. Over jobs without a model are folded until somebody looks. */
  let chosen: Picture | "none" | null = null;
  let unfolded = false;

  const curvesButton = button(trans.__("Charts"), "mlops-show-charts", () => choose("curves"));
  const candidatesButton = button(trans.__("Candidates"), "mlops-show-candidates", () => choose("candidates"));
  const unfoldButton = button("", "mlops-unfold", () => {
    unfolded = !unfolded;
    strip.unfold(unfolded);
    comparison.unfold(unfolded);
    arrange();
  });
  tools.append(curvesButton, candidatesButton, unfoldButton);
  const strip = mountCharts(curves, tools, card, signal, act, () => arrange());
  const comparison = mountCandidates(compared, card, signal);

  function choose(picture: Picture): void {
    chosen = current() === picture && folded() ? "none" : picture;
    arrange();
  }

  /** Whether this face shows pictures only on request. */
  function folded(): boolean {
    const missing = shown.job !== null && notKept(shown.job) !== null;
    return !["running", "finished"].includes(face(shown)) || missing;
  }

  function current(): Picture | null {
    const has = { curves: shown.series.size > 0, candidates: (shown.job?.candidates.length ?? 0) > 0 };
    if (chosen === "none") return null;
    if (chosen !== null && has[chosen]) return chosen;
    if (folded()) return null;
    const selecting = shown.job?.current_stage === "Model selection" && face(shown) === "running";
    if (has.candidates && (selecting || !has.curves)) return "candidates";
    return has.curves ? "curves" : null;
  }

  function arrange(): void {
    const picture = current();
    const job = shown.job;
    const both = shown.series.size > 0 && (job?.candidates.length ?? 0) > 0;
    show(curves, picture === "curves");
    strip.offer(picture === "curves");
    show(compared, picture === "candidates");
    const waiting = picture === null && face(shown) === "running";
    show(empty, waiting);
    if (waiting) say(empty, why(job));
    show(body, picture !== null || waiting);
    offer(curvesButton, picture === "curves", shown.series.size > 0, both);
    offer(candidatesButton, picture === "candidates", (job?.candidates.length ?? 0) > 0, both);
    if (job) say(candidatesButton, several(job) ? trans.__("Candidates") : trans.__("Folds"));
    const { all, shown: inRow } = strip.counts();
    show(unfoldButton, picture === "curves" && all > inRow);
    say(unfoldButton, unfolded ? trans.__("Fewer") : trans.__("+%1 more", String(all - inRow)));
  }

  /** Where pictures are folded a button opens and closes its own; elsewhere there is one for the other. */
  function offer(node: HTMLButtonElement, pressed: boolean, exists: boolean, both: boolean): void {
    show(node, exists && (folded() || (both && !pressed)));
    attribute(node, "aria-pressed", folded() ? String(pressed) : null);
  }

  const update = (next: Card) => {
    shown = next;
    strip.update(next);
    comparison.update(next);
    arrange();
  };
  update(card);
  return update;
}

function button(label: string, testid: string, pressed: () => void): HTMLButtonElement {
  const node = element("button", { class: "quiet", type: "button", "data-testid": testid }, label);
  node.addEventListener("click", pressed);
  return node;
}

function several(job: Job): boolean {
  const stage = comparedIn(job);
  return job.candidates.filter((candidate) => candidate.stage === stage).length > 1;
}

/** Why there is nothing to see yet. */
function why(job: Job | null): string {
  const training = job?.stages.find((stage) => stage.name === "Training model");
  return training && training.state !== "pending"
    ? trans.__("This estimator tells no values while it fits.")
    : trans.__("Curves begin with the first measured value.");
}
