/** Pipelines in the panel: one a row, in which it is run and changed. Rows keep their place, and what stands open in them. */

import { found, type Pipeline, told } from "../state/pipelines";
import { trans } from "../words";
import { copies } from "./clipboard";
import { type Menu, offersMenu } from "./contextmenu";
import { element, say } from "./element";
import { mount as mountOne, type PipelineActs } from "./pipeline";
import { mount as mountTold } from "./told";

const LINE = 'mlops.save_pipeline("churn", job)';

export interface PipelinesActs extends Pick<PipelineActs, "door" | "changed"> {
  /** Shows a pipeline, or a job of it. */
  open(id: string): void;
  menu?: Menu;
}

/** Returns what shows them; null: not known yet. */
export function mount(el: HTMLElement, signal: AbortSignal, { door, changed, open, menu }: PipelinesActs): (all: readonly Pipeline[] | null, filter: string) => number {
  const tell = mountTold(el, signal, "pipelines-told");
  const list = element("ul", { class: "jobs" });
  const none = element("p", { class: "note line-of" });
  el.append(list, none);
  const rows = new Map<string, { li: HTMLElement; update(one: Pipeline): void; leaving: AbortController }>();
  let names: readonly string[] = [];
  const nothing = first();

  return (all, filter) => {
    names = all?.map((one) => one.name) ?? [];
    const shown = found(all ?? [], filter);
    for (const [i, one] of shown.entries()) {
      const known = rows.get(one.id) ?? row(one);
      known.update(one);
      if (list.children[i] !== known.li) list.insertBefore(known.li, list.children[i] ?? null);
    }
    for (const [id, { li, leaving }] of rows) {
      if (shown.some((one) => one.id === id)) continue;
      leaving.abort();
      li.remove();
      rows.delete(id);
    }
    if (shown.length > 0) none.replaceChildren();
    else if (all === null) say(none, trans.__("Not known: the server has not answered yet."));
    else if (filter.trim()) say(none, trans.__("No pipeline like that."));
    else if (none.firstChild !== nothing[0]) none.replaceChildren(...nothing);
    return shown.length;
  };

  function row(one: Pipeline) {
    const name = element("button", { class: "link name", type: "button", "data-testid": "mlops-pipeline-open" });
    const version = element("span", { class: "note" });
    const what = element("p", { class: "note" });
    const li = element("li", { "data-pipeline": one.id }, name, " ", version, what);
    const leaving = new AbortController();
    const change = mountOne(li, one, AbortSignal.any([signal, leaving.signal]), { door, changed, tell, ran: open, names: () => names });
    name.addEventListener("click", () => open(one.id));
    // In what stands open below, the browser's own menu pastes.
    offersMenu(name, name, one.id, menu);
    const update = (next: Pipeline) => {
      say(name, next.name);
      say(version, `v${next.version}`);
      say(what, told(next));
      change(next);
    };
    const made = { li, update, leaving };
    rows.set(one.id, made);
    return made;
  }
}

function first(): (Node | string)[] {
  const copy = element("button", { class: "link", type: "button" }, trans.__("Copy"));
  copies(copy, () => LINE);
  return [document.createTextNode(trans.__("No pipelines yet. In a cell:")), element("code", {}, LINE), copy];
}
