/** A part of the panel that folds, with its count in its head. What is folded is remembered by who shows the panel. */

import { element, say } from "./element";

export interface Folding {
  /** Sections that are folded, by their names. */
  folded(): readonly string[];
  fold(names: readonly string[]): void;
}

export interface Section {
  node: HTMLElement;
  body: HTMLElement;
  /** Nought is not said. */
  count(n: number, called?: string): void;
}

export function section(title: string, name: string, folding: Folding): Section {
  const head = element("summary", {}, title);
  const body = element("div", { class: "rows-of", "data-testid": `mlops-${name}` });
  const node = element("details", { open: !folding.folded().includes(name) }, head, body);
  node.addEventListener("toggle", () => {
    const others = folding.folded().filter((one) => one !== name);
    folding.fold(node.open ? others : [...others, name]);
  });
  return { node, body, count: (n, called = title) => say(head, n > 0 ? `${called} (${n})` : called) };
}
