/** What happened, the newest first. Rows keep their place under the pointer; what comes meanwhile waits above. */

import type { ActivityUpdate } from "../protocol";
import type { Board } from "../state/board";
import { timeOfDay } from "../state/figures";
import { trans } from "../words";
import { element, fill, say, show } from "./element";
import { mark } from "./marks";

const MARKS = { info: "pending", success: "done", warning: "warning", error: "failed" } as const;
const KINDS = ["all", "job", "machine"] as const;
type Kind = (typeof KINDS)[number];

export function mount(el: HTMLElement, board: Board, open: ((jobId: string) => void) | null): (next: Board) => void {
  let kind: Kind = "all";
  let shown = board;
  let held = false;
  const chips = element("div", { class: "chips", role: "group", "aria-label": trans.__("Kinds of activity") });
  const words: Record<Kind, string> = { all: trans.__("All"), job: trans.__("Jobs"), machine: trans.__("Machine") };
  const buttons = KINDS.map((one) => {
    const chip = element("button", { class: "quiet", type: "button", "data-testid": `mlops-kind-${one}` }, words[one]);
    chip.addEventListener("click", () => {
      kind = one;
      update(shown);
    });
    chips.append(chip);
    return [one, chip] as const;
  });
  const more = element("button", { class: "link", type: "button" });
  const list = element("ol", { class: "feed", "data-testid": "mlops-feed", tabindex: "0", "aria-label": trans.__("Activity") });
  const nothing = element("p", { class: "note" }, trans.__("Nothing has happened yet."));
  el.append(chips, more, list, nothing);
  more.addEventListener("click", () => {
    list.scrollTop = 0;
    held = false;
    update(shown);
  });
  list.addEventListener("pointerenter", () => {
    held = true;
  });
  list.addEventListener("pointerleave", () => {
    held = list.scrollTop > 0;
    update(shown);
  });
  let drawn: readonly ActivityUpdate[] = [];

  const update = (next: Board) => {
    shown = next;
    for (const [one, chip] of buttons) chip.setAttribute("aria-pressed", String(one === kind));
    const rows = next.feed.filter((row) => kind === "all" || row.activity.kind === kind);
    const same = drawn[0] && rows.includes(drawn[0]);
    const fresh = same ? rows.indexOf(drawn[0] as ActivityUpdate) : 0;
    show(more, (held || list.scrollTop > 0) && fresh > 0);
    say(more, trans._n("%1 new ↑", "%1 new ↑", fresh));
    show(nothing, rows.length === 0);
    if ((held || list.scrollTop > 0) && same) return;
    drawn = rows;
    fill(list, rows.map((row) => row.activity.id).join(), () => rows.map((row) => entry(row, next.now)));
  };
  update(board);
  return update;

  function entry({ activity }: ActivityUpdate, now: number): HTMLElement {
    const { kind, subject, title, description, status, timestamp } = activity;
    const words = [
      mark(MARKS[status]),
      element("span", { class: "title-of" }, title),
      element("time", { datetime: timestamp, title: new Date(timestamp).toLocaleString() }, timeOfDay(timestamp, now)),
      element("span", { class: "note" }, description),
    ];
    if (kind !== "job" || subject === null || !open) return element("li", { class: "happened" }, ...words);
    const button = element("button", { class: "happened", type: "button", title: `${description} · ${subject}` }, ...words);
    button.addEventListener("click", () => open(subject));
    return element("li", {}, button);
  }
}
