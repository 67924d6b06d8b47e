/** A job as a row of the panel: its words, and what can be done with it from there. In place, so that the focus stays. */

import type { Action } from "../state/actions";
import type { Board } from "../state/board";
import { NO_CONNECTION } from "../state/connection";
import type { Ordered } from "../state/face";
import type { Row } from "../state/rows";
import { element, say, show } from "./element";
import { draw, mark } from "./marks";
import { mount as mountPause } from "./pause";
import { mount as mountStop } from "./stop";

export interface RowActs {
  open(jobId: string): void;
  order(jobId: string, action: Action): void;
  /** A menu of what can be done with the job, by the right button or the key for it; none where there is none. */
  menu?(jobId: string, at: { x: number; y: number }): void;
}

export function mount(el: HTMLElement, id: string, signal: AbortSignal, acts: RowActs): (row: Row, board: Board) => void {
  const shape = mark("known");
  const state = element("span", { class: "spoken" });
  const name = element("span", { class: "name" });
  const figures = element("span", { class: "figures" });
  const note = element("span", { class: "note" });
  const button = element("button", { class: "job", type: "button", "data-testid": "mlops-row" }, shape, state, name, figures, note);
  const orders = element("span", { class: "orders" });
  el.append(button, orders);
  const order = (action: Action) => acts.order(id, action);
  const nothing: Ordered = { source: "server", job: null, connection: NO_CONNECTION, now: 0, movedAt: null };
  const updates = [mountPause(orders, nothing, order), mountStop(orders, nothing, signal, order)];
  button.addEventListener("click", () => acts.open(id));
  el.addEventListener("contextmenu", (event) => {
    if (!acts.menu) return;
    event.preventDefault();
    // The key has no place of its own.
    const { left, bottom } = button.getBoundingClientRect();
    acts.menu(id, event.clientX ? { x: event.clientX, y: event.clientY } : { x: left + 20, y: bottom });
  });

  return (row, board) => {
    draw(shape, row.mark);
    say(state, `${row.word} `);
    say(name, row.name);
    say(figures, row.figures);
    say(note, row.note);
    button.title = `${row.name} · ${row.id}`;
    const { connection, now } = board;
    for (const update of updates) update({ ...nothing, job: row.job, connection, now });
    show(orders, [...orders.children].some((one) => !(one as HTMLElement).hidden));
  };
}
