/** The card's [⋯]: things that work on every job, each also a line of code. */

import type { Act } from "../state/actions";
import type { Card } from "../state/card";
import { canDelete, canKeep, hasModel } from "../state/face";
import { code } from "../state/job";
import { trans } from "../words";
import { type Choice, choices } from "./choices";
import { copy } from "./clipboard";
import { element } from "./element";
import { mark } from "./marks";

/** What more has to be asked for: under which name it is kept, whether it is to be deleted. */
export interface Asks {
  keep(): void;
  remove(): void;
}

export function mount(el: HTMLElement, card: Card, signal: AbortSignal, act: Act, asks: Asks): (next: Card) => void {
  const button = element(
    "button",
    { class: "button icon", type: "button", "aria-label": trans.__("More"), title: trans.__("More"), "data-testid": "mlops-more" },
    mark("more"),
  );
  let shown = card;
  el.append(button, choices(button, { label: trans.__("More"), testid: "mlops-menu" }, offered, signal));

  function offered(): Choice[] {
    const all: Choice[] = [
      { label: trans.__("Copy job id"), testid: "copy-id", chosen: () => void copy(shown.jobId) },
      { label: trans.__("Copy as code"), testid: "copy-code", chosen: () => void copy(code(shown.jobId)) },
    ];
    if (hasModel(shown)) all.push({ label: trans.__("Open model"), testid: "model", chosen: () => act({ do: "model", deploy: false }) });
    if (canKeep(shown)) all.push({ label: trans.__("Keep as pipeline…"), testid: "keep", chosen: asks.keep });
    if (shown.source === "server") all.push({ label: trans.__("Show log"), testid: "log", chosen: () => act({ do: "log" }) });
    if (shown.series.size > 0) all.push({ label: trans.__("Download metrics CSV"), testid: "csv", chosen: () => act({ do: "csv" }) });
    if (canDelete(shown)) all.push({ label: trans.__("Delete…"), testid: "delete", chosen: asks.remove });
    return all;
  }

  return (next) => {
    shown = next;
  };
}
