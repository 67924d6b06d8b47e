/** First line of the card: state, name and id of the job; what is known of the connection; what can be done. */

import type { Job } from "../protocol";
import type { Act } from "../state/actions";
import type { Card } from "../state/card";
import { face, hasModel, headline } from "../state/face";
import { roughly, span, timeOfDay } from "../state/figures";
import { currentStage, isOver, shortId } from "../state/job";
import { staleFor } from "../state/times";
import { trans } from "../words";
import { mount as mountConnection } from "./connection";
import { attribute, element, say, show } from "./element";
import { draw, mark } from "./marks";
import { mount as mountMenu } from "./menu";
import { mount as mountPause } from "./pause";
import { mount as mountRemove } from "./remove";
import { mount as mountRerun } from "./rerun";
import { titleOf } from "./stages";
import { mount as mountStop } from "./stop";

/** `toggleDetails` shows or hides what a job that is over can tell, and returns whether it is shown; `keep` asks for a pipeline's name. */
export function mount(
  el: HTMLElement,
  card: Card,
  signal: AbortSignal,
  act: Act,
  toggleDetails: () => boolean,
  keep: () => void,
): (next: Card) => void {
  const shape = mark("known");
  const word = element("b", { class: "word", "data-testid": "mlops-state" });
  const name = element("bdi", { class: "name", "data-testid": "mlops-name" });
  const id = element("code", { class: "id", "data-testid": "mlops-id" });
  const attempt = element("span", { class: "attempt", "data-testid": "mlops-attempt" });
  const when = element("span", {});
  const where = element("span", { class: "where" });
  const aside = element("span", { class: "aside", "data-testid": "mlops-aside" }, when, where);
  const retry = element("button", { class: "button", type: "button", "data-testid": "mlops-retry" }, trans.__("Retry now"));
  retry.addEventListener("click", () => act({ do: "reconnect" }));
  const right = element("div", { class: "right" }, aside);
  const connection = mountConnection(right, card, signal, act);
  const details = element(
    "button",
    { class: "quiet", type: "button", "aria-expanded": "false", "data-testid": "mlops-show-details" },
    trans.__("Details"),
  );
  details.addEventListener("click", () => attribute(details, "aria-expanded", String(toggleDetails())));
  const deploy = element("button", { class: "quiet deploy", type: "button", "data-testid": "mlops-job-deploy" }, trans.__("Deploy…"));
  deploy.addEventListener("click", () => act({ do: "model", deploy: true }));
  right.append(retry, details, deploy);
  const rerun = mountRerun(right, card, act);
  const pause = mountPause(right, card, act);
  const stop = mountStop(right, card, signal, act);
  const remove = mountRemove(right, signal, act);
  const menu = mountMenu(right, card, signal, act, { keep, remove: remove.ask });
  el.append(element("div", { class: "title" }, shape, word, name, id, attempt), right);

  const update = (next: Card) => {
    const { mark: drawn, word: said } = headline(next);
    draw(shape, drawn);
    say(word, said);
    say(name, next.job?.name ?? "");
    attribute(name, "title", next.job ? `${next.job.name} ${next.jobId}` : null);
    say(id, shortId(next.jobId));
    attribute(id, "title", next.jobId);
    say(attempt, next.job?.rerun_of ? trans.__("attempt %1", String(next.job.attempt)) : "");
    show(attempt, Boolean(next.job?.rerun_of));
    const [time, stage] = remark(next);
    say(when, time);
    say(where, stage);
    show(aside, time !== "");
    const { shown } = next.connection;
    show(details, over(next));
    show(deploy, hasModel(next));
    show(retry, next.source === "server" && !over(next) && ["reconnecting", "offline", "forbidden"].includes(shown));
    say(retry, face(next) === "gone" ? trans.__("Try again") : trans.__("Retry now"));
    const focused = right.querySelector<HTMLElement>(":focus");
    connection(next);
    rerun(next);
    pause(next);
    stop(next);
    remove.update(next);
    menu(next);
    // A button that goes away must not take the keyboard's place with it.
    if (focused?.hidden) right.querySelector<HTMLElement>("[data-testid=mlops-more]")?.focus();
  };
  update(card);
  return update;
}

function over(card: Card): boolean {
  return card.job !== null && isOver(card.job);
}

function lasted(status: Job["status"], time: string): string {
  return status === "completed" ? trans.__("in %1", time) : trans.__("after %1", time);
}

/** When, how long, how old: what a glance at the right wants to know; the second part yields in narrow cards. */
function remark(card: Card): [when: string, where: string] {
  const job = card.job;
  if (!job) return ["", ""];
  if (isOver(job)) {
    const took = job.elapsed_time === null ? "" : lasted(job.status, span(job.elapsed_time));
    const when = job.end_time === null ? "" : timeOfDay(job.end_time, card.now);
    // Its word is long, and how long it ran and where it stopped stand below.
    if (job.status === "cancelled") return [when, ""];
    const stage = job.status === "completed" ? undefined : currentStage(job)?.stage.name;
    return [[took, when].filter(Boolean).join(" · "), stage && took ? ` · ${titleOf(stage)}` : ""];
  }
  if (card.source === "saved" && card.asOf) return [trans.__("as of %1", timeOfDay(card.asOf, card.now)), ""];
  const stale = staleFor(card);
  return [stale === null ? "" : trans.__("last update %1 ago", roughly(stale)), ""];
}
