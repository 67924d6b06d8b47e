/** A menu of what can be done with a row, by the right button or the key for it; none where there is none. */

export type Menu = (id: string, at: { x: number; y: number }) => void;

/** `button`: what of the row has the focus. */
export function offersMenu(row: HTMLElement, button: HTMLElement, id: string, menu: Menu | undefined): void {
  row.addEventListener("contextmenu", (event) => {
    if (!menu) return;
    event.preventDefault();
    // The key has no place of its own.
    const { left, bottom } = button.getBoundingClientRect();
    menu(id, event.clientX ? { x: event.clientX, y: event.clientY } : { x: left + 20, y: bottom });
  });
}
