/** Under which name what a job was asked for is kept as a pipeline: a form that stands open when it is wanted. */

import type { Act } from "../state/actions";
import type { Card } from "../state/card";
import { canKeep } from "../state/face";
import { trans } from "../words";
import { naming } from "./naming";

/** `back` leads the focus to where the form was asked for. */
export function mount(el: HTMLElement, card: Card, act: Act, back: () => void): { open(): void; update(next: Card): void } {
  let shown = card;
  const leave = () => {
    el.replaceChildren();
    back();
  };
  return {
    open() {
      const keep = async (name: string) => {
        act({ do: "keep", name });
        leave();
      };
      const form = naming(trans.__("Keep as pipeline"), shown.job?.name ?? "", keep, leave);
      el.replaceChildren(form);
      const box = form.querySelector("input");
      box?.focus();
      box?.select();
    },
    update(next) {
      shown = next;
      if (!canKeep(next)) el.replaceChildren();
    },
  };
}
