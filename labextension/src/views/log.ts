/** The last lines of the job's output; opened from the menu, follows while it is scrolled to its end. */

import type { Card } from "../state/card";
import { isOver } from "../state/job";
import { trans } from "../words";
import { element, say, show } from "./element";

export interface LogView {
  update(next: Card): void;
  open(): void;
}

export function mount(el: HTMLElement, card: Card): LogView {
  const text = element("pre", { class: "log", tabindex: "0", "aria-label": trans.__("Last lines of the output") });
  const close = element("button", { class: "link", type: "button" }, trans.__("Hide log"));
  const block = element("div", { class: "output", hidden: true, "data-testid": "mlops-log" }, text, close);
  el.append(block);
  let shown = card;
  close.addEventListener("click", () => show(block, false));

  function write(): void {
    if (block.hidden) return;
    const follows = text.scrollTop + text.clientHeight >= text.scrollHeight - 4;
    const none = shown.job && isOver(shown.job) ? trans.__("Nothing was written.") : trans.__("Nothing was written so far.");
    say(text, shown.log.lines.length > 0 ? shown.log.lines.join("\n") : none);
    if (follows) text.scrollTop = text.scrollHeight;
  }

  return {
    update(next) {
      shown = next;
      write();
    },
    open() {
      show(block, true);
      write();
      text.scrollTop = text.scrollHeight;
    },
  };
}
