/** The button of a job that ended without a result: once more, in the same card. */

import type { Act } from "../state/actions";
import type { Card } from "../state/card";
import { canRerun, face } from "../state/face";
import { trans } from "../words";
import { element, say, show } from "./element";

export function mount(el: HTMLElement, card: Card, act: Act): (next: Card) => void {
  const button = element("button", { class: "button", "data-testid": "mlops-rerun", type: "button" });
  el.append(button);
  button.addEventListener("click", () => act({ do: "rerun" }));
  const update = (next: Card) => {
    show(button, canRerun(next));
    say(button, face(next) === "failed" ? trans.__("Retry") : trans.__("Run again"));
  };
  update(card);
  return update;
}
