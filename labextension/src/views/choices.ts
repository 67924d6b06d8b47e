/** A button with a menu of things that can be done: by pointer, or by arrows and Enter. */

import { attribute, element, fill } from "./element";
import { popover } from "./popover";

export interface Choice {
  label: string;
  testid: string;
  chosen(): void;
  /** Why not; null: possible. */
  refused?: string | null;
}

/** `offered` is asked at each opening. The panel is to stand beside its button. */
export function choices(button: HTMLButtonElement, name: { label: string; testid: string }, offered: () => readonly Choice[], signal: AbortSignal): HTMLElement {
  const menu = popover(button, { ...name, role: "menu" }, () => offer(), signal);
  menu.panel.addEventListener("keydown", (event) => walk(menu.panel, event));

  function offer(): void {
    const all = offered();
    fill(menu.panel, JSON.stringify(all.map(({ label, refused }) => [label, refused])), () => all.map((one, n) => entry(one, n)));
  }

  function entry({ label, testid, refused }: Choice, n: number): HTMLElement {
    const node = element("button", { class: "entry", role: "menuitem", type: "button", "data-testid": `mlops-menu-${testid}` }, label);
    if (refused) {
      // In reach, since it says why.
      for (const [key, value] of [["aria-disabled", "true"], ["aria-description", refused], ["title", refused]] as const) attribute(node, key, value);
      return node;
    }
    node.addEventListener("click", () => {
      menu.close();
      button.focus();
      offered()[n]?.chosen();
    });
    return node;
  }

  return menu.panel;
}

function walk(panel: HTMLElement, event: KeyboardEvent): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  event.preventDefault();
  const entries = [...panel.querySelectorAll<HTMLElement>("button")];
  const at = entries.findIndex((entry) => entry.matches(":focus"));
  const step = event.key === "ArrowDown" ? 1 : -1;
  entries[(at + step + entries.length) % entries.length]?.focus();
}
