/** Puts text on the clipboard, also on pages without the permission (plain http). */

import { trans } from "../words";

export async function copy(text: string): Promise<void> {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return;
    } catch {
      // Denied by policy: the old way still works from a click.
    }
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  area.style.opacity = "0";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** A button that copies and says for two seconds that it did. */
export function copies(button: HTMLButtonElement, text: () => string): void {
  const label = button.textContent ?? "";
  button.addEventListener("click", async () => {
    await copy(text());
    button.textContent = trans.__("Copied");
    setTimeout(() => {
      button.textContent = label;
    }, 2_000);
  });
}
