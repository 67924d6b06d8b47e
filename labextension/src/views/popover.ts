/** A panel in the page's top layer beside its button: no scrolling cell can cut it off. */

import { attribute, element } from "./element";

export interface Popover {
  panel: HTMLElement;
  close(): void;
}

/** `opening` is called before each showing. Closes by Escape, a click elsewhere, or scrolling. */
export function popover(
  button: HTMLButtonElement,
  name: { label: string; testid: string; role: string },
  opening: () => void,
  signal: AbortSignal,
): Popover {
  const panel = element("div", {
    class: "popover",
    popover: "auto",
    role: name.role,
    "aria-label": name.label,
    "data-testid": name.testid,
  });
  attribute(button, "aria-haspopup", name.role);
  attribute(button, "aria-expanded", "false");
  const close = () => {
    if (panel.matches(":popover-open")) panel.hidePopover();
  };
  button.addEventListener("click", () => {
    if (panel.matches(":popover-open")) {
      close();
      return;
    }
    opening();
    panel.showPopover();
    place(panel, button);
    panel.querySelector<HTMLElement>("button")?.focus();
  });
  panel.addEventListener("toggle", (event) => {
    attribute(button, "aria-expanded", String((event as ToggleEvent).newState === "open"));
  });
  const escape = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !panel.matches(":popover-open")) return;
    // Escape closes this, it does not leave the card.
    event.stopPropagation();
    close();
    button.focus();
  };
  panel.addEventListener("keydown", escape);
  // A panel without a button leaves the focus on the one that opened it.
  button.addEventListener("keydown", escape);
  window.addEventListener("scroll", close, { signal, capture: true, passive: true });
  signal.addEventListener("abort", close);
  return { panel, close };
}

function place(panel: HTMLElement, button: HTMLElement): void {
  const at = button.getBoundingClientRect();
  const size = panel.getBoundingClientRect();
  const below = at.bottom + 4 + size.height <= innerHeight || at.top < size.height;
  panel.style.left = `${Math.max(4, Math.min(at.right - size.width, innerWidth - size.width - 4))}px`;
  panel.style.top = `${below ? at.bottom + 4 : at.top - size.height - 4}px`;
}
