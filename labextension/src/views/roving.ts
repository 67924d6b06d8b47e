/** One stop of the Tab key for a whole card: arrows lead from button to button inside, and Tab leads on. */

import { attribute } from "./element";

const STEPS: Record<string, 1 | -1> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

export function rove(box: HTMLElement): void {
  box.addEventListener("focusin", ({ target }) => {
    const all = stops(box);
    // A panel in the top layer is a place of its own.
    if (!all.includes(target as HTMLElement)) return;
    for (const one of all) if (one !== target) attribute(one, "tabindex", "-1");
    attribute(target as HTMLElement, "tabindex", "0");
  });
  box.addEventListener("focusout", ({ relatedTarget }) => {
    // From outside, each can be the first: what was left may be hidden when somebody comes back.
    if (!(relatedTarget instanceof Node) || !box.contains(relatedTarget)) for (const one of stops(box)) attribute(one, "tabindex", "0");
  });
  box.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    const from = event.target as HTMLElement;
    // Charts move their crosshair, texts scroll and sliders slide by the arrows they have a use for.
    if (!step || event.defaultPrevented || (from.matches("pre, input") && /Up|Down/.test(event.key))) return;
    const all = stops(box);
    const at = all.indexOf(from);
    if (at < 0) return;
    event.preventDefault();
    all[(at + step + all.length) % all.length]?.focus();
  });
}

function stops(box: HTMLElement): HTMLElement[] {
  return [...box.querySelectorAll<HTMLElement>("button, input, [tabindex]")].filter((one) => !one.closest("[hidden], [popover], dialog"));
}
