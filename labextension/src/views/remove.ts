/** The question behind the menu's [Delete…]: asked once, gone by itself after a while. */

import type { Act } from "../state/actions";
import type { Card } from "../state/card";
import { canDelete } from "../state/face";
import { trans } from "../words";
import { element, show } from "./element";

const ASKS_FOR_MS = 5_000;

export interface Remove {
  ask(): void;
  update(next: Card): void;
}

export function mount(el: HTMLElement, signal: AbortSignal, act: Act): Remove {
  const button = element("button", { class: "button asking", type: "button", "data-testid": "mlops-delete" }, trans.__("Delete for good?"));
  let asking: ReturnType<typeof setTimeout> | undefined;
  show(button, false);
  el.append(button);

  function forget(): void {
    clearTimeout(asking);
    asking = undefined;
    show(button, false);
  }

  button.addEventListener("click", () => {
    forget();
    act({ do: "delete" });
  });
  button.addEventListener("blur", forget);
  signal.addEventListener("abort", forget);
  return {
    ask() {
      show(button, true);
      button.focus();
      asking = setTimeout(forget, ASKS_FOR_MS);
    },
    update(next) {
      if (!canDelete(next)) forget();
    },
  };
}
