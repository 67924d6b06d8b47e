/** A job as a card: the composition of all its views in a shadow root of its own. Not here: where states come from. */

import uplotCss from "uplot/dist/uPlot.min.css";
import type { Act } from "../state/actions";
import type { Card } from "../state/card";
import { face } from "../state/face";
import { shortId } from "../state/job";
import { elapsed } from "../state/times";
import { trans } from "../words";
import { mount as mountAlerts } from "./alerts";
import { mount as mountAnnouncer } from "./announcer";
import { mount as mountBody } from "./body";
import css from "./card.css";
import { mount as mountDetails } from "./details";
import { attribute, element, show } from "./element";
import { mount as mountFailure } from "./failure";
import { mount as mountFindings } from "./findings";
import { mount as mountHeader } from "./header";
import { mount as mountKeeping } from "./keeping";
import { mount as mountLog } from "./log";
import { mount as mountNumbers } from "./numbers";
import { mount as mountProgress } from "./progress";
import { rove } from "./roving";
import { mount as mountSentence } from "./sentence";
import { mount as mountStages } from "./stages";
import { keepKeys } from "./keys";
import { dress, watchTheme } from "./theme";

const BLINK_SECONDS = 0.8;

export function mount(el: HTMLElement, card: Card, signal: AbortSignal, act: Act): (next: Card) => void {
  const root = el.shadowRoot ?? el.attachShadow({ mode: "open" });
  const box = element("section", { class: "card", role: "group", "data-testid": "mlops-card" });
  root.replaceChildren(element("style", {}, uplotCss), element("style", {}, css), box);
  signal.addEventListener("abort", () => root.replaceChildren());
  keepKeys(el, box);
  rove(box);

  // Before the charts watch: they read the colours this sets.
  watchTheme(() => {
    dress(box);
  }, signal);

  const header = element("div", { class: "header" });
  const timeline = element("div", {});
  const bar = element("div", {});
  const line = element("div", { class: "line" });
  const tools = element("div", { class: "tools" });
  const why = element("div", {});
  const main = element("div", {});
  const below = element("div", {});
  const kept = element("div", {});
  box.append(header, kept, timeline, bar, line, why, main, below);

  const acted: Act = (action) => {
    if (action.do === "log") log.open();
    act(action);
  };
  const updates = [
    mountHeader(header, card, signal, acted, () => details.toggle(), () => keeping.open()),
    mountStages(timeline, card),
    mountProgress(bar, card),
    mountNumbers(line, card, signal),
    mountBody(main, tools, card, signal, acted),
    mountAlerts(tools, card, signal, acted),
    mountFindings(tools, card, signal),
    mountSentence(below, card),
    mountFailure(why, card),
    mountAnnouncer(below, card, signal),
  ];
  line.append(tools);
  const details = mountDetails(below, card);
  const log = mountLog(below, card);
  const keeping = mountKeeping(kept, card, acted, () => header.querySelector<HTMLElement>("[data-testid=mlops-more]")?.focus());

  const update = (next: Card) => {
    if (box.dataset["face"] && isBlink(next)) return;
    const shown = face(next);
    box.dataset["face"] = shown;
    dress(box);
    attribute(box, "aria-label", trans.__("Job %1", next.job?.name ?? shortId(next.jobId)));
    show(timeline, shown === "running" || shown === "failed");
    show(bar, shown === "running" || shown === "gone");
    show(line, shown !== "unknown");
    for (const tell of updates) tell(next);
    details.update(next);
    log.update(next);
    keeping.update(next);
  };
  update(card);
  return update;
}

/** Whether the job has only just begun: one that is over in a blink goes straight to its end, without a flicker of stages. */
function isBlink(card: Card): boolean {
  // Suspended, or cut off from its server, its first moment would last.
  if (card.job?.status === "paused" || card.connection.shown === "reconnecting") return false;
  return face(card) === "running" && card.source === "server" && (elapsed(card) ?? BLINK_SECONDS) < BLINK_SECONDS;
}
