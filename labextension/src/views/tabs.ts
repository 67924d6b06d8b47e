/** Tabs as screen readers and keyboards know them: one stop of the Tab key, arrows between them. */

import { attribute, element, show } from "./element";

export interface TabBar<Name extends string> {
  bar: HTMLElement;
  choose(name: Name, focused?: boolean): void;
}

export function tabs<Name extends string>(
  label: string,
  all: readonly (readonly [name: Name, words: string, panel: HTMLElement])[],
  chosen: (name: Name) => void,
): TabBar<Name> {
  const bar = element("div", { class: "tabs", role: "tablist", "aria-label": label });
  const buttons = all.map(([name, words, panel]) => {
    const button = element("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`, "data-testid": `mlops-tab-${name}` }, words);
    button.addEventListener("click", () => choose(name));
    bar.append(button);
    attribute(panel, "role", "tabpanel");
    attribute(panel, "id", `panel-${name}`);
    attribute(panel, "aria-labelledby", `tab-${name}`);
    return button;
  });
  bar.addEventListener("keydown", (event) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const at = buttons.indexOf(event.target as HTMLButtonElement);
    if (step === 0 || at < 0) return;
    event.preventDefault();
    const next = all[(at + step + all.length) % all.length];
    if (next) choose(next[0], true);
  });
  const choose = (name: Name, focused = false) => {
    for (const [at, [one, , panel]] of all.entries()) {
      const here = one === name;
      attribute(buttons[at] as HTMLElement, "aria-selected", String(here));
      attribute(buttons[at] as HTMLElement, "tabindex", here ? "0" : "-1");
      show(panel, here);
      if (here && focused) buttons[at]?.focus();
    }
    chosen(name);
  };
  return { bar, choose };
}
