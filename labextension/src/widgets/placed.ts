/**
 * What the kernel feeds in a cell: as a view, or in the place of the tables that were saved for it. The script of the
 * anywidgets of mlops_jupyter/notebook/board.py.
 */

import type { AnyModel } from "@anywidget/types";
import type { Client } from "../client/client";
import { type Relayed, relayClient } from "../client/relay";
import { speakAsPage } from "../words";

export interface Placed extends Relayed {
  /** The class of the elements whose place it takes; empty where it is shown as a view. */
  place: string;
}

/** `live` shows it in an element until the signal ends. */
export function placed<Traits extends Placed>(live: (el: HTMLElement, model: AnyModel<Traits>, client: Client, signal: AbortSignal) => void) {
  function show(model: AnyModel<Traits>, el: HTMLElement): AbortController {
    speakAsPage();
    const leaving = new AbortController();
    live(el, model, relayClient(model as unknown as AnyModel<Relayed>), leaving.signal);
    return leaving;
  }

  function render({ model, el, signal }: { model: AnyModel<Traits>; el: HTMLElement; signal?: AbortSignal }): () => void {
    const leaving = show(model, el);
    signal?.addEventListener("abort", () => leaving.abort());
    return () => leaving.abort();
  }

  /** In the place of the tables that were saved for it, as long as they are in the page. Called once for a model, view or not. */
  function initialize({ model, signal }: { model: AnyModel<Traits>; signal?: AbortSignal }): (() => void) | undefined {
    const name = model.get("place");
    if (!name) return undefined;
    const places = document.getElementsByClassName(name);
    const taken = new Map<Element, () => void>();
    const look = () => {
      for (const [place, free] of taken) if (!place.isConnected) free();
      for (const place of [...places]) if (!taken.has(place)) taken.set(place, take(place));
    };
    const take = (place: Element) => {
      const saved = [...place.children] as HTMLElement[];
      const el = document.createElement("div");
      place.append(el);
      for (const part of saved) part.hidden = true;
      const leaving = show(model, el);
      return () => {
        leaving.abort();
        el.remove();
        for (const part of saved) part.hidden = false;
        taken.delete(place);
      };
    };
    const watch = new MutationObserver(look);
    watch.observe(document.body, { childList: true, subtree: true });
    look();
    const leave = () => {
      watch.disconnect();
      for (const free of [...taken.values()]) free();
    };
    signal?.addEventListener("abort", leave);
    return leave;
  }

  return { initialize, render };
}
