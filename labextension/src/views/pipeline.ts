/**
 * What can be done with one pipeline: run, edit, rename, duplicate, compare, script, delete. Deleting asks once, and can
 * be undone for ten seconds. Not here: what stands around it (pipelines.ts, pipelinecard.ts).
 */

import { nextName, type Pipeline, type Pipelines } from "../state/pipelines";
import { trans } from "../words";
import { choices } from "./choices";
import { attribute, element, held, say, unheld } from "./element";
import { mark } from "./marks";
import { naming } from "./naming";
import { mount as mountRecipe } from "./recipe";
import { message, type Tell } from "./told";
import { mount as mountVersions } from "./versions";

const ASKS_FOR_MS = 5_000;
const UNDO_MS = 10_000;

export interface PipelineActs {
  door: Pipelines;
  tell: Tell;
  /** A job of it is there. */
  ran(jobId: string): void;
  /** Something changed here; the server tells the same, a moment later. */
  changed(): void;
  /** Names that are taken. */
  names(): readonly string[];
}

type Tool = "edit" | "rename" | "duplicate" | "compare";

/** With `editing`, its recipe stands open from the beginning. Returns what takes the pipeline as it is now. */
export function mount(el: HTMLElement, one: Pipeline, signal: AbortSignal, acts: PipelineActs, editing = false): (next: Pipeline) => void {
  const { door, tell } = acts;
  let shown = one;
  let open: { tool: Tool; of: Pipeline; leaving: AbortController; touched(): boolean } | null = null;
  const place = element("div", { class: "tool" });
  const run = button("run", trans.__("Run"), async () => {
    // Its table is looked at first, which takes a second or two.
    tell(trans.__("Checking…"));
    const jobId = await door.run(shown);
    tell("");
    acts.ran(jobId);
  });
  const edit = button("edit", trans.__("Edit"), async () => toggle("edit"));
  const script = element("a", { class: "link", download: "", "data-testid": "mlops-pipeline-script" }, trans.__("Script"));
  const more = element(
    "button",
    { class: "button icon", type: "button", "aria-label": trans.__("More"), title: trans.__("More"), "data-testid": "mlops-pipeline-more" },
    mark("more"),
  );
  const offered = () => [
    { label: trans.__("Rename…"), testid: "pipeline-rename", chosen: () => toggle("rename") },
    { label: trans.__("Duplicate…"), testid: "pipeline-duplicate", chosen: () => toggle("duplicate") },
    {
      ...{ label: trans.__("Compare versions"), testid: "pipeline-compare", chosen: () => toggle("compare") },
      refused: shown.newest === 1 ? trans.__("There is one version only.") : null,
    },
  ];
  const menu = choices(more, { label: trans.__("More"), testid: "mlops-pipeline-menu" }, offered, signal);
  el.append(element("div", { class: "orders" }, run, editing ? null : edit, door.script(one) === null ? null : script, deletion(), more, menu), place);

  const update = (next: Pipeline) => {
    // A list may be older than what was just kept here.
    if (next.version < shown.version) return;
    shown = next;
    attribute(script, "href", door.script(next));
    if (open && open.of.version !== next.version && !open.touched()) start(open.tool);
  };
  update(one);
  if (editing) start("edit");
  return update;

  function toggle(tool: Tool): void {
    const was = open?.tool;
    leave();
    if (was === tool) return;
    start(tool);
    place.querySelector<HTMLElement>("input, select, button")?.focus();
  }

  function leave(): void {
    open?.leaving.abort();
    open = null;
    place.replaceChildren();
    if (editing && !signal.aborted) start("edit");
  }

  /** In place of what stood open. */
  function start(tool: Tool): void {
    open?.leaving.abort();
    place.replaceChildren();
    const leaving = new AbortController();
    const here = AbortSignal.any([signal, leaving.signal]);
    const of = shown;
    let touched = () => held(place);
    if (tool === "edit") {
      const recipe = mountRecipe(place, of, door, here, (next) => became(next, trans.__("%1 is at version %2.", next.name, String(next.version))));
      touched = () => held(place) || recipe.touched();
    } else if (tool === "compare") mountVersions(place, of, door, here);
    else if (tool === "rename") ask(trans.__("Rename"), of.name, (name) => door.save(of, of.recipe, name).then((next) => became(next, trans.__("%1 is called %2 now.", of.name, name))));
    else ask(trans.__("Duplicate"), nextName(of.name, acts.names()), (name) => door.duplicate(of, name).then(() => became(shown, trans.__("%1 is there.", name))));
    open = { tool, of, leaving, touched };
  }

  function became(next: Pipeline, said: string): void {
    shown = next;
    const free = unheld(place);
    leave();
    tell(said);
    if (free) (edit.isConnected ? edit : run).focus();
    acts.changed();
  }

  /** A name is asked for. */
  function ask(word: string, name: string, then: (name: string) => Promise<void>): void {
    const form = naming(word, name, then, () => {
      leave();
      more.focus();
    });
    place.append(form);
    form.querySelector("input")?.select();
  }

  function deletion(): HTMLElement {
    let asking = false;
    const remove = button("delete", trans.__("Delete"), async () => {
      if (!asking) {
        asking = true;
        say(remove, trans.__("Delete?"));
        const timer = setTimeout(() => {
          asking = false;
          say(remove, trans.__("Delete"));
        }, ASKS_FOR_MS);
        signal.addEventListener("abort", () => clearTimeout(timer));
        return;
      }
      const gone = shown;
      await door.remove(gone);
      const undo = element("button", { class: "link", type: "button", "data-testid": "mlops-undo" }, trans.__("Undo"));
      tell([trans.__("%1 deleted.", gone.name), " ", undo], UNDO_MS);
      undo.addEventListener("click", () => {
        tell("");
        door.restore(gone).then(acts.changed, (error) => tell(message(error)));
      });
      if (unheld(remove)) undo.focus();
      acts.changed();
    });
    return remove;
  }

  function button(what: string, name: string, act: () => Promise<void>): HTMLButtonElement {
    const made = element("button", { class: "button", type: "button", "data-testid": `mlops-pipeline-${what}` }, name);
    made.addEventListener("click", () => {
      made.disabled = true;
      act()
        .catch((error) => tell(message(error)))
        .finally(() => {
          made.disabled = false;
        });
    });
    return made;
  }
}
