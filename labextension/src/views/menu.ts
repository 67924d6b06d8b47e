/** The card's [⋯]: things that work on every job, each also a line of code. */

import type { Act } from "../state/actions";
import type { Card } from "../state/card";
import { code } from "../state/job";
import { trans } from "../words";
import { copy } from "./clipboard";
import { element, fill } from "./element";
import { mark } from "./marks";
import { popover } from "./popover";

export function mount(el: HTMLElement, card: Card, signal: AbortSignal, act: Act): (next: Card) => void {
  const button = element(
    "button",
    { class: "button icon", type: "button", "aria-label": trans.__("More"), title: trans.__("More"), "data-testid": "mlops-more" },
    mark("more"),
  );
  let shown = card;
  const name = { label: trans.__("More"), testid: "mlops-menu", role: "menu" };
  const menu = popover(button, name, () => offer(), signal);
  el.append(button, menu.panel);
  menu.panel.addEventListener("keydown", (event) => walk(menu.panel, event));

  function offer(): void {
    const entries: [string, string, () => void][] = [
      [trans.__("Copy job id"), "copy-id", () => void copy(shown.jobId)],
      [trans.__("Copy as code"), "copy-code", () => void copy(code(shown.jobId))],
    ];
    if (shown.source === "server") entries.push([trans.__("Show log"), "log", () => act({ do: "log" })]);
    if (shown.series.size > 0) entries.push([trans.__("Download metrics CSV"), "csv", () => act({ do: "csv" })]);
    fill(menu.panel, entries.map(([label]) => label).join(), () =>
      entries.map(([label, testid, chosen]) => {
        const entry = element(
          "button",
          { class: "entry", role: "menuitem", type: "button", "data-testid": `mlops-menu-${testid}` },
          label,
        );
        entry.addEventListener("click", () => {
          menu.close();
          button.focus();
          chosen();
        });
        return entry;
      }),
    );
  }

  return (next) => {
    shown = next;
  };
}

function walk(panel: HTMLElement, event: KeyboardEvent): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  event.preventDefault();
  const entries = [...panel.querySelectorAll<HTMLElement>("button")];
  const at = entries.findIndex((entry) => entry.matches(":focus"));
  const step = event.key === "ArrowDown" ? 1 : -1;
  entries[(at + step + entries.length) % entries.length]?.focus();
}
