/** The machine as a strip, or the feed, by itself in a cell. Not here: where states come from (widgets/board). */

import type { Act } from "../state/actions";
import type { Board } from "../state/board";
import { kernelUse } from "../state/machine";
import { trans } from "../words";
import css from "./card.css";
import { mount as mountConnection } from "./connection";
import { element, say, show } from "./element";
import { mount as mountFeed } from "./feed";
import { mount as mountMachine } from "./machine";
import panelCss from "./panel.css";
import { dress, watchTheme } from "./theme";

export type Part = "system" | "activity";

export interface BoardActs {
  act: Act;
  /** Null where a job cannot be opened from here. */
  open: ((jobId: string) => void) | null;
}

/** `kernel`: as the server calls the kernel of the notebook, if that is one of its own. */
export function mount(
  el: HTMLElement,
  board: Board,
  signal: AbortSignal,
  part: Part,
  kernel: string | null,
  { act, open }: BoardActs,
): (next: Board) => void {
  const root = el.shadowRoot ?? el.attachShadow({ mode: "open" });
  const name = part === "system" ? trans.__("Server") : trans.__("Activity");
  const box = element("section", { class: `card board ${part}`, "data-testid": `mlops-${part}-board`, "aria-label": name });
  root.replaceChildren(element("style", {}, css), element("style", {}, panelCss), box);
  signal.addEventListener("abort", () => root.replaceChildren());
  watchTheme(() => {
    dress(box);
  }, signal);
  const body = element("div", { class: "of-board" });
  const mine = element("span", { class: "note", "data-testid": "mlops-this-kernel" });
  const place = element("span", { class: "right" });
  const head = element("b", {}, name);
  // The strip is one line; the feed has a line above it.
  if (part === "system") box.append(head, body, mine, place);
  else box.append(element("header", {}, head, place), body);
  const shown = part === "system" ? mountMachine(body, board, "strip") : mountFeed(body, board, open);
  const connection = mountConnection(place, onServer(board), signal, act);

  const update = (next: Board) => {
    dress(box);
    shown(next);
    connection(onServer(next));
    const use = kernel === null ? null : kernelUse(next, kernel);
    say(mine, use === null ? "" : trans.__("this kernel %1", use));
    show(mine, use !== null);
  };
  update(board);
  return update;
}

function onServer(board: Board) {
  return { source: "server", job: null, connection: board.connection, now: board.now } as const;
}
