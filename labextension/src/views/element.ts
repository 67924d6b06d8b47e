/** Elements made from words: text is only ever text, so that a job named `<b>` is a job named `<b>`. */

import { UNKNOWN } from "../state/figures";
import { trans } from "../words";

type Attributes = Record<string, string | boolean | null>;
type Child = Node | string | null;

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) attribute(node, name, value);
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** Written only when it changes: an attribute set anew wakes screen readers and style. */
export function attribute(node: Element, name: string, value: string | boolean | null): void {
  if (value === null || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const text = value === true ? "" : value;
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

export function say(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function show(node: HTMLElement, visible: boolean): void {
  if (node.hidden === visible) node.hidden = !visible;
}

/** Replaces the children only when `key` says that they are others than before. */
export function fill(node: HTMLElement, key: string, children: () => Child[]): void {
  if (node.dataset["key"] === key) return;
  node.dataset["key"] = key;
  node.replaceChildren(...children().filter((child) => child !== null));
}

/** `label value`, the value in bold figures; what is unknown says why when pointed at. */
export function pair(label: string, value: string, testid: string): HTMLElement {
  const why = value === UNKNOWN ? trans.__("not measured") : value === "…" ? trans.__("nothing yet to estimate from") : null;
  return element(
    "span",
    { class: "pair", "data-testid": testid, title: why },
    label && value ? `${label} ` : label,
    value ? element("b", {}, value) : null,
  );
}

/** Whether it, or nothing, has the focus: an answer that comes late takes it from nobody who went on. */
export function unheld(el: HTMLElement): boolean {
  return document.activeElement === document.body || held(el);
}

/** Whether the focus is in it. */
export function held(el: HTMLElement): boolean {
  const root = el.getRootNode() as Document | ShadowRoot;
  return el.contains(root.activeElement);
}
