/** What happened, the newest first. Rows keep their place under the pointer and the focus; what comes meanwhile waits above. */

import type { ActivityUpdate } from "../protocol";
import type { Board } from "../state/board";
import { collapsed, type Entry } from "../state/feed";
import { ago, count, timeOfDay } from "../state/figures";
import { shortId } from "../state/job";
import { nounOf } from "../state/nouns";
import { trans } from "../words";
import { copy } from "./clipboard";
import { element, fill, say, show } from "./element";
import { mark } from "./marks";

const MARKS = { info: "pending", success: "done", warning: "warning", error: "failed" } as const;
const KINDS = ["all", "job", "dataset", "model", "pipeline", "machine"] as const;
type Kind = (typeof KINDS)[number];

/** `open` is null where a job cannot be opened: then its rows tell what shows it. */
export function mount(el: HTMLElement, board: Board, open: ((jobId: string) => void) | null): (next: Board) => void {
  let kind: Kind = "all";
  let shown = board;
  let held = false;
  const chips = element("div", { class: "chips", role: "group", "aria-label": trans.__("Kinds of activity") });
  const words: Record<Kind, string> = { all: trans.__("All"), job: trans.__("Jobs"), dataset: trans.__("Datasets"), model: trans.__("Models"), pipeline: trans.__("Pipelines"), machine: trans.__("Machine") };
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
  const told = element("p", { class: "note", role: "status", hidden: true, "data-testid": "mlops-shown-by" });
  el.append(chips, more, list, nothing, told);
  more.addEventListener("click", () => {
    list.scrollTop = 0;
    held = false;
    update(shown);
  });
  list.addEventListener("pointerenter", () => {
    held = true;
  });
  list.addEventListener("pointerleave", () => {
    held = false;
    update(shown);
  });
  for (const moment of ["scroll", "focusout"]) list.addEventListener(moment, () => update(shown));
  /** Whether somebody reads what is there: by pointer, by keys, or further down. */
  const isRead = () => held || list.scrollTop > 0 || list.querySelector(":focus-visible") !== null;
  let drawn: readonly ActivityUpdate[] = [];
  const ages = new Map<HTMLElement, string>();

  const update = (next: Board) => {
    shown = next;
    for (const [one, chip] of buttons) chip.setAttribute("aria-pressed", String(one === kind));
    const rows = next.feed.filter((row) => kind === "all" || row.activity.kind === kind);
    // By its id: a feed that was asked for again has other objects.
    const fresh = rows.findIndex((row) => row.activity.id === drawn[0]?.activity.id);
    show(more, isRead() && fresh > 0);
    say(more, trans._n("%1 new ↑", "%1 new ↑", fresh));
    show(nothing, rows.length === 0);
    if (!(isRead() && fresh >= 0)) {
      drawn = rows;
      fill(list, rows.map((row) => row.activity.id).join(), () => {
        ages.clear();
        return collapsed(rows).map((one) => entry(one, next.now));
      });
    }
    const onServer = next.now + (next.connection.link.skew ?? 0);
    for (const [age, since] of ages) say(age, ago(since, onServer));
  };
  update(board);
  return update;

  function entry({ newest: { activity }, times, since }: Entry, now: number): HTMLElement {
    const { subject, title, description, status, timestamp } = activity;
    // It moves by itself: who hears the row is told the time of day, which stays.
    const age = element("span", { "aria-hidden": "true" });
    ages.set(age, timestamp);
    const at = element("time", { datetime: timestamp, title: new Date(timestamp).toLocaleString() }, age, element("span", { class: "spoken" }, timeOfDay(timestamp, now)));
    const words = [
      mark(MARKS[status]),
      element("span", { class: "title-of" }, title),
      element("span", {}, times > 1 ? repeated(times, since, now) : null, at),
      element("span", { class: "note" }, description),
    ];
    const noun = subject === null ? null : nounOf(subject);
    if (subject === null || noun === null || (noun !== "job" && !open)) return element("li", { class: "happened" }, ...words);
    const button = element("button", { class: "happened", type: "button", title: `${description} · ${subject}` }, ...words);
    button.addEventListener("click", () => (open ?? tell)(subject));
    return element("li", {}, button);
  }

  function tell(jobId: string): void {
    const line = `mlops.get("${shortId(jobId)}")`;
    void copy(line);
    const command = element("code", {}, `mlops jobs show ${shortId(jobId)}`);
    fill(told, jobId, () => [`${trans.__("Copied; in a cell this shows the job:")} `, element("code", {}, line), ` · ${trans.__("in a terminal:")} `, command]);
    show(told, true);
  }
}

/** `×4 `: how often, and since when. */
function repeated(times: number, since: string, now: number): HTMLElement {
  const told = trans.__("%1 times since %2", count(times), timeOfDay(since, now));
  return element("b", { class: "times", title: told, "aria-label": told, role: "img", "data-testid": "mlops-times" }, `×${count(times)} `);
}
