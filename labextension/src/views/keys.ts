/** Keys pressed in a view below a cell are its own, until Escape gives them back to the notebook. */

/** `box`: what the shadow root of `el` holds. */
export function keepKeys(el: HTMLElement, box: HTMLElement): void {
  // The notebook must not take letters pressed here for its commands.
  el.setAttribute("data-lm-suppress-shortcuts", "true");
  box.addEventListener("keydown", (event) => leave(el, event));
}

function leave(el: HTMLElement, event: KeyboardEvent): void {
  if (event.key !== "Escape") return;
  event.preventDefault();
  event.stopPropagation();
  // Where the page is given the key while the card fills the screen.
  if (el.shadowRoot?.fullscreenElement) {
    void document.exitFullscreen();
    return;
  }
  const focused = el.shadowRoot?.activeElement;
  if (focused instanceof HTMLElement) focused.blur();
  notebookOf(el)?.focus();
}

/** Also from a view within another. */
function notebookOf(el: Element): HTMLElement | null {
  const root = el.getRootNode();
  return el.closest<HTMLElement>(".jp-Notebook") ?? (root instanceof ShadowRoot ? notebookOf(root.host) : null);
}
