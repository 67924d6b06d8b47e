/**
 * What can be done with a registered model besides deploying it: an alias given or taken away, its file fetched, retired,
 * deleted. What came of it is told by the model's own events.
 */

import type { Model } from "../state/assets";
import { label } from "../state/models";
import { trans } from "../words";
import { type Choice, choices } from "./choices";
import { element, say, show, unheld } from "./element";
import { mark } from "./marks";
import { naming } from "./naming";
import { message, mount as mountTold } from "./told";

export type ModelFile = "skops" | "onnx";

/** What is refused rejects with the reason. */
export interface ModelOrders {
  promote(alias: string): Promise<void>;
  demote(alias: string): Promise<void>;
  retire(retired: boolean): Promise<void>;
  remove(): Promise<void>;
  save(model: Model, file: ModelFile): Promise<void>;
}

/** `place`: where the button stands; `below`: where what it asks for and says does. */
export function mount(place: HTMLElement, below: HTMLElement, signal: AbortSignal, acts: ModelOrders): (model: Model | null) => void {
  const name = { "aria-label": trans.__("More"), title: trans.__("More") };
  const more = element("button", { class: "button icon", type: "button", "data-testid": "mlops-model-more", ...name }, mark("more"));
  place.append(more, choices(more, { label: trans.__("More"), testid: "mlops-model-menu" }, offered, signal));
  const form = element("div", {});
  const what = element("p", {});
  const now = element("button", { class: "button", type: "button", "data-testid": "mlops-model-delete-now" }, trans.__("Delete now"));
  const no = element("button", { class: "button", type: "button" }, trans.__("Not now"));
  const asked = element("div", { class: "asked", hidden: true, "data-testid": "mlops-model-delete" }, what, element("p", { class: "buttons" }, now, no));
  below.append(form, asked);
  const tell = mountTold(below, signal, "model-told");
  let shown: Model | null = null;
  no.addEventListener("click", leave);
  now.addEventListener("click", () => {
    leave();
    order(acts.remove());
  });

  return (model) => {
    shown = model;
    show(more, model !== null);
    if (model) return;
    form.replaceChildren();
    show(asked, false);
  };

  function offered(): Choice[] {
    if (!shown) return [];
    const model = shown;
    const live = model.status === "deployed" || model.status === "deploying" ? trans.__("It answers: undeploy it first.") : null;
    const retired = model.status === "retired";
    return [
      { label: trans.__("Promote…"), testid: "model-promote", chosen: promote, refused: retired ? trans.__("It is retired: bring it back first.") : null },
      ...model.aliases.map((one) => ({ label: trans.__("Take away %1", one), testid: `model-demote-${one}`, chosen: () => order(acts.demote(one)) })),
      { label: trans.__("Download"), testid: "model-skops", chosen: () => save(model, "skops") },
      { label: trans.__("Export as ONNX"), testid: "model-onnx", chosen: () => save(model, "onnx") },
      retired
        ? { label: trans.__("Bring back"), testid: "model-unretire", chosen: () => order(acts.retire(false)) }
        : { label: trans.__("Retire"), testid: "model-retire", chosen: () => order(acts.retire(true)), refused: live },
      { label: trans.__("Delete…"), testid: "model-delete", chosen: ask, refused: live },
    ];
  }

  function promote(): void {
    const give = async (alias: string) => {
      await acts.promote(alias);
      const free = unheld(form);
      form.replaceChildren();
      if (free) more.focus();
    };
    form.replaceChildren(naming(trans.__("Give this alias"), "champion", give, leave));
    show(asked, false);
    const box = form.querySelector("input");
    box?.focus();
    box?.select();
  }

  function ask(): void {
    form.replaceChildren();
    say(what, shown ? trans.__("%1 and its file are gone then; its job stays, and its number is never given again.", label(shown)) : "");
    show(asked, true);
    no.focus();
  }

  function leave(): void {
    form.replaceChildren();
    show(asked, false);
    more.focus();
  }

  function save(model: Model, file: ModelFile): void {
    // Converted and checked first, it takes seconds.
    tell(trans.__("Fetching its file…"));
    order(acts.save(model, file));
  }

  function order(done: Promise<void>): void {
    done.then(() => tell(""), (error) => tell(message(error)));
  }
}
