/** A job as a row of the panel: its words, and what can be done with it from there. In place, so that the focus stays. */

import type { Action } from "../state/actions";
import type { Board } from "../state/board";
import { NO_CONNECTION } from "../state/connection";
import type { Ordered } from "../state/face";
import type { Row } from "../state/rows";
import { type Menu, offersMenu } from "./contextmenu";
import { element, say, show } from "./element";
import { draw, mark } from "./marks";
import { mount as mountPause } from "./pause";
import { mount as mountStop } from "./stop";

export interface RowActs {
  open(jobId: string): void;
  order(jobId: string, action: Action): void;
  menu?: Menu;
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
  offersMenu(el, button, id, acts.menu);

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
