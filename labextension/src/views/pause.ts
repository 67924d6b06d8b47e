/** The button that suspends a running job, and lets a paused one go on. */

import type { Act } from "../state/actions";
import { canPause, canResume, type Ordered } from "../state/face";
import { trans } from "../words";
import { element, say, show } from "./element";

export function mount(el: HTMLElement, card: Ordered, act: Act): (next: Ordered) => void {
  const button = element("button", { class: "button", "data-testid": "mlops-pause", type: "button" });
  el.append(button);
  let shown = card;
  button.addEventListener("click", () => act({ do: canResume(shown) ? "resume" : "pause" }));
  const update = (next: Ordered) => {
    shown = next;
    show(button, canPause(next) || canResume(next));
    say(button, canResume(next) ? trans.__("Resume") : trans.__("Pause"));
  };
  update(card);
  return update;
}
