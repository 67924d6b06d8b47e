/** The bar. It never goes back, and has no number while a stage of unknown length lasts. */

import type { Card } from "../state/card";
import { answering } from "../state/connection";
import { currentStage, isOver } from "../state/job";
import { elapsed, isLengthUnknown, left, overdue } from "../state/times";
import { trans } from "../words";
import { attribute, element } from "./element";
import { placeOf } from "./stages";

export function mount(el: HTMLElement, card: Card): (next: Card) => void {
  const done = element("i", { class: "done" });
  const somewhere = element("i", { class: "somewhere" });
  const bar = element(
    "div",
    { class: "progress", role: "progressbar", "aria-label": trans.__("Progress"), "data-testid": "mlops-progress" },
    done,
    somewhere,
  );
  el.append(bar);

  const update = (next: Card) => {
    const job = next.job;
    const progress = job?.progress ?? 0;
    const unknown = !job || job.progress === null || isLengthUnknown(job, elapsed(next));
    const moving = unknown && job !== null && !isOver(job) && job.status !== "queued" && job.status !== "paused";
    done.style.width = `${progress}%`;
    somewhere.style.left = `${progress}%`;
    somewhere.style.width = `${share(next)}%`;
    bar.classList.toggle("moving", moving && (next.source !== "server" || answering(next.connection)));
    const cut = next.source === "server" && !answering(next.connection) && next.connection.shown !== "connecting";
    bar.classList.toggle("cut", cut && !(job && isOver(job)));
    attribute(bar, "aria-valuenow", unknown ? null : String(Math.floor(progress)));
    attribute(bar, "aria-valuemin", unknown ? null : "0");
    attribute(bar, "aria-valuemax", unknown ? null : "100");
    attribute(bar, "aria-valuetext", spoken(next, unknown ? null : progress));
  };
  update(card);
  return update;
}

/** How much of the bar the running stage is expected to take, percent. */
function share(card: Card): number {
  const current = card.job ? currentStage(card.job) : null;
  const whole = current ? 100 * current.stage.share : 100;
  return Math.max(Math.min(whole, 100 - (card.job?.progress ?? 0)), 4);
}

/** `58 percent, stage 5 of 8 Train, about 4 seconds left`; without seconds, which tick. */
function spoken(card: Card, progress: number | null): string {
  const still = left(card);
  const far = progress === null ? trans.__("length unknown") : trans.__("%1 percent", String(Math.floor(progress)));
  const parts = [far, placeOf(card)];
  if (still) parts.push("over" in still ? overdue(still.over) : trans.__("about %1 left", still.about));
  return parts.join(", ");
}
