/** Whether the page is light or dark, and when it changes: Jupyter's own word first, then the system's. */

import { preferences } from "../state/preferences";
import { attribute } from "./element";

export type Theme = "light" | "dark";

export function theme(): Theme {
  const said = document.body.dataset["jpThemeLight"];
  if (said !== undefined) return said === "true" ? "light" : "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** What a view's style sheets go by: the page's colours, and whether all is to stand still. */
export function dress(box: HTMLElement): void {
  box.dataset["theme"] = theme();
  attribute(box, "data-still", preferences.reduceMotion === "always");
}

/** Calls back at every change of colours, also between two dark themes. */
export function watchTheme(changed: () => void, signal: AbortSignal): void {
  const observer = new MutationObserver(changed);
  observer.observe(document.body, { attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
  signal.addEventListener("abort", () => observer.disconnect());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed, { signal });
}

/** Train solid, validation dashed; contrast ≥ 3:1 and apart for colour-blind eyes on both layouts. */
export const PALETTE: Record<Theme, readonly [string, string, string]> = {
  light: ["#0072B2", "#E04F00", "#1A1A1A"],
  dark: ["#56B4E9", "#E69F00", "#1FB58A"],
};
