/** The stop button: at once in a job's first seconds, then in two steps. */

import type { Act } from "../state/actions";
import { canStop, type Ordered } from "../state/face";
import { percent } from "../state/figures";
import { preferences } from "../state/preferences";
import { elapsed } from "../state/times";
import { trans } from "../words";
import { element, say, show } from "./element";

const ASKS_FOR_MS = 5_000;

export function mount(el: HTMLElement, card: Ordered, signal: AbortSignal, act: Act): (next: Ordered) => void {
  const button = element("button", { class: "button", "data-testid": "mlops-stop", type: "button" });
  el.append(button);
  let shown = card;
  let asking: ReturnType<typeof setTimeout> | undefined;

  const update = (next: Ordered) => {
    shown = next;
    if (!canStop(next)) forget();
    show(button, canStop(next));
    const progress = next.job?.progress;
    const question = progress == null ? trans.__("Stop now?") : trans.__("Stop at %1?", percent(progress));
    say(button, asking === undefined ? trans.__("Stop") : question);
    button.classList.toggle("asking", asking !== undefined);
  };

  function forget(): void {
    clearTimeout(asking);
    asking = undefined;
  }

  button.addEventListener("click", () => {
    if (asking !== undefined || (elapsed(shown) ?? 0) < preferences.confirmStopAfter) {
      forget();
      act({ do: "stop" });
    } else {
      asking = setTimeout(() => {
        forget();
        update(shown);
      }, ASKS_FOR_MS);
    }
    update(shown);
  });
  button.addEventListener("blur", () => {
    forget();
    update(shown);
  });
  signal.addEventListener("abort", forget);
  update(card);
  return update;
}
