/** Rows of the panel that are no jobs: they stay where they are in the document while they last, and the focus with them. */

import type { Entry } from "../state/entries";
import { type Menu, offersMenu } from "./contextmenu";
import { element, say } from "./element";
import { draw, mark } from "./marks";

/** Returns what shows these rows, or `nothing` where there are none. */
export function mount(el: HTMLElement, open: (id: string) => void, menu?: Menu): (entries: readonly Entry[], nothing: HTMLElement | string) => void {
  const list = element("ul", { class: "jobs" });
  const none = element("div", {});
  el.append(list, none);
  const updates = new WeakMap<Element, (entry: Entry) => void>();

  return (entries, nothing) => {
    const known = new Map([...list.children].map((li) => [(li as HTMLElement).dataset["id"], li as HTMLElement]));
    for (const [i, entry] of entries.entries()) {
      const li = known.get(entry.id) ?? row(entry.id);
      known.delete(entry.id);
      updates.get(li)?.(entry);
      if (list.children[i] !== li) list.insertBefore(li, list.children[i] ?? null);
    }
    for (const gone of known.values()) gone.remove();
    list.hidden = entries.length === 0;
    none.hidden = entries.length > 0;
    if (entries.length > 0) none.replaceChildren();
    else if (typeof nothing !== "string") {
      if (none.firstElementChild !== nothing) none.replaceChildren(nothing);
    } else if (none.textContent !== nothing) {
      none.replaceChildren(element("p", { class: "note" }, nothing));
    }
  };

  function row(id: string): HTMLElement {
    const shape = mark("known");
    const [state, name] = [element("span", { class: "spoken" }), element("span", { class: "name" })];
    const [figures, note] = [element("span", { class: "figures" }), element("span", { class: "note" })];
    const button = element("button", { class: "job", type: "button", "data-testid": "mlops-entry" }, shape, state, name, figures, note);
    button.addEventListener("click", () => open(id));
    const li = element("li", { "data-id": id }, button);
    offersMenu(li, button, id, menu);
    updates.set(li, (entry) => {
      draw(shape, entry.mark);
      say(state, `${entry.word} `);
      say(name, entry.name);
      say(figures, entry.figures);
      say(note, entry.note);
      button.title = `${entry.name} · ${id}`;
    });
    return li;
  }
}
