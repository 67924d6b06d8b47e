/** The side panel: what runs, what ran, and the machine. Not here: where states come from (lab/). */

import type { Act } from "../state/actions";
import type { Board } from "../state/board";
import { answering } from "../state/connection";
import type { Pipelines } from "../state/pipelines";
import { type Row, rows } from "../state/rows";
import { trans } from "../words";
import css from "./card.css";
import { copies, copy } from "./clipboard";
import { mount as mountConnection } from "./connection";
import { attribute, element, fill, say, show } from "./element";
import { mount as mountFeed } from "./feed";
import { mount as mountMachine } from "./machine";
import { mark } from "./marks";
import panelCss from "./panel.css";
import { mount as mountPipelines } from "./pipelines";
import recipeCss from "./recipe.css";
import shelvesCss from "./shelves.css";
import { mount as mountRow, type RowActs } from "./row";
import { section, type Section } from "./section";
import { mount as mountShelves, type ShelfActs } from "./shelves";
import { dress, watchTheme } from "./theme";

export interface PanelActs extends RowActs, ShelfActs {
  act: Act;
  /** Puts the lines where they can be run; false where there is no such place. Without it they are copied. */
  insert?(lines: string): Promise<boolean>;
  /** Where named recipes are run and changed, and what to do when one was. */
  pipelines?: { door: Pipelines; changed(): void };
  /** Shows the settings, where there are any. */
  settings?(): void;
}

const LINE = 'mlops.train(df, target="…")';
const LINES = `import mlops_jupyter as mlops\n\njob = ${LINE}`;
const SAID_MS = 2_000;

export function mount(el: HTMLElement, board: Board, signal: AbortSignal, acts: PanelActs): (next: Board) => void {
  const root = el.shadowRoot ?? el.attachShadow({ mode: "open" });
  const box = element("section", { class: "card panel", role: "group", "data-testid": "mlops-panel", "aria-label": "mlops" });
  root.replaceChildren(element("style", {}, css), element("style", {}, panelCss), element("style", {}, shelvesCss), element("style", {}, recipeCss), box);
  signal.addEventListener("abort", () => root.replaceChildren());
  watchTheme(() => {
    dress(box);
  }, signal);

  const place = element("span", { class: "right" });
  const header = element("div", { class: "header" }, element("h2", {}, "mlops"), place);
  const connection = mountConnection(place, onServer(board), signal, acts.act);
  const train = element("button", { class: "button", type: "button", "data-testid": "mlops-train" }, trans.__("+ Train"));
  attribute(train, "title", trans.__("Puts the line that trains into a cell, or on the clipboard"));
  train.addEventListener("click", () => void begin());
  place.append(train);
  if (acts.settings) {
    const name = { "aria-label": trans.__("Settings"), title: trans.__("Settings") };
    const settings = element("button", { class: "button icon", type: "button", "data-testid": "mlops-settings", ...name }, mark("settings"));
    settings.addEventListener("click", () => acts.settings?.());
    place.append(settings);
  }
  const notice = element("p", { class: "note", role: "status", "data-testid": "mlops-notice" });
  const search = element("input", {
    type: "search",
    placeholder: trans.__("filter…"),
    "aria-label": trans.__("Filter jobs, datasets, models and pipelines"),
    "data-testid": "mlops-filter",
  });
  const open = section(trans.__("Running"), "running", acts);
  const over = section(trans.__("Jobs"), "jobs", acts);
  const shelves = mountShelves(signal, acts);
  const recipes = acts.pipelines ? section(trans.__("Pipelines"), "pipelines", acts) : null;
  const { open: opened, menu } = acts;
  const named = acts.pipelines && recipes ? mountPipelines(recipes.body, signal, { ...acts.pipelines, open: opened, ...(menu && { menu }) }) : null;
  const activity = section(trans.__("Activity"), "activity", acts);
  const feed = mountFeed(activity.body, board, acts.open);
  const system = section(trans.__("System"), "system", acts);
  const machine = mountMachine(system.body, board);
  const pipelines = recipes ? [recipes.node] : [];
  box.append(header, notice, search, open.node, over.node, shelves.datasets, ...pipelines, shelves.models, activity.node, system.node);

  let shown = board;
  const entries = new WeakMap<HTMLElement, { leaving: AbortController; tell: (row: Row, now: Board) => void }>();
  search.addEventListener("input", () => update(shown));

  const update = (next: Board) => {
    shown = next;
    dress(box);
    connection(onServer(next));
    machine(next);
    feed(next);
    shelves.update(next, search.value);
    if (named) recipes?.count(named(next.assets.pipelines, search.value));
    say(notice, next.notice ?? "");
    show(notice, next.notice !== null);
    const found = rows(next, search.value);
    const filtered = search.value.trim() !== "";
    // Of a server that is away nobody knows whether they still run.
    const away = next.known && !answering(next.connection) && next.connection.shown !== "connecting";
    const unknown = next.known ? null : trans.__("Not known: the server has not answered yet.");
    const called = away ? trans.__("Running when last heard of") : trans.__("Running");
    tell(open, next, found.open, unknown ?? trans.__("Nothing runs."), called);
    tell(over, next, found.over, unknown ?? (filtered ? trans.__("No job like that.") : null));
  };
  update(board);
  return update;

  function tell({ body, count }: Section, now: Board, told: readonly Row[], nothing: string | null, called?: string): void {
    count(told.length, called);
    if (told.length > 0) list(body, told, now);
    else fill(body, `nothing ${nothing}`, () => [nothing ? element("p", { class: "note" }, nothing) : first()]);
  }

  /** Rows stay where they are in the document while they last: the focus, and a finger, stay on them. */
  function list(body: HTMLElement, told: readonly Row[], now: Board): void {
    if (body.dataset["key"] !== "list") {
      body.dataset["key"] = "list";
      body.replaceChildren(element("ul", { class: "jobs" }));
    }
    const ul = body.firstElementChild as HTMLElement;
    const known = new Map([...ul.children].map((li) => [(li as HTMLElement).dataset["job"], li as HTMLElement]));
    for (const [i, row] of told.entries()) {
      const li = known.get(row.id) ?? entry(row.id);
      known.delete(row.id);
      entries.get(li)?.tell(row, now);
      if (ul.children[i] !== li) ul.insertBefore(li, ul.children[i] ?? null);
    }
    for (const gone of known.values()) {
      entries.get(gone)?.leaving.abort();
      gone.remove();
    }
  }

  function entry(id: string): HTMLElement {
    const leaving = new AbortController();
    const li = element("li", { "data-job": id });
    entries.set(li, { leaving, tell: mountRow(li, id, AbortSignal.any([signal, leaving.signal]), acts) });
    return li;
  }

  async function begin(): Promise<void> {
    if (await acts.insert?.(LINES)) return;
    await copy(LINES);
    say(train, trans.__("Copied"));
    setTimeout(() => say(train, trans.__("+ Train")), SAID_MS);
  }
}

/** The line that makes the first job. */
function first(): HTMLElement {
  const button = element("button", { class: "link", type: "button" }, trans.__("Copy"));
  copies(button, () => LINES);
  return element("p", { class: "note line-of" }, trans.__("No jobs yet. In a cell:"), element("code", {}, LINE), button);
}

function onServer(board: Board) {
  return { source: "server", job: null, connection: board.connection, now: board.now } as const;
}
