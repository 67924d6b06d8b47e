/** What rules found while the job ran: its name on the card, sentence, evidence and Mute one click away. */

import type { Alert } from "../protocol";
import type { Act } from "../state/actions";
import { heard, titleOfRule } from "../state/alerts";
import type { Card } from "../state/card";
import { count, figure, UNKNOWN } from "../state/figures";
import { isOver } from "../state/job";
import { trans } from "../words";
import { attribute, element, fill, say, show } from "./element";
import { mark } from "./marks";
import { popover } from "./popover";

/** A line of its own would move what is below it while the job runs. */
export function mount(el: HTMLElement, card: Card, signal: AbortSignal, act: Act): (next: Card) => void {
  const word = element("span", {});
  const button = element("button", { class: "quiet alerts", type: "button", "data-testid": "mlops-alerts" }, mark("warning"), word);
  let alerts: readonly Alert[] = [];
  let asked = false;
  const name = { label: trans.__("Alerts"), testid: "mlops-alerts-list", role: "dialog" };
  const list = popover(button, name, draw, signal);
  el.append(button, list.panel);

  function draw(): void {
    fill(list.panel, JSON.stringify([alerts, asked]), () => alerts.map((alert) => told(alert, asked ? mute : null)));
  }

  function mute(rule: string): void {
    list.close();
    button.focus();
    act({ do: "mute", rule });
  }

  const update = (next: Card) => {
    alerts = heard(next.job);
    // Nobody could pass it on for a saved card, nor would anybody hear it.
    asked = next.source !== "saved" && (next.job === null || !isOver(next.job) || next.source === "server");
    const [newest] = alerts;
    show(button, newest !== undefined);
    if (!newest) {
      list.close();
      return;
    }
    const title = titleOfRule(newest.rule);
    const said = alerts.length === 1 ? title : `${title} +${alerts.length - 1}`;
    say(word, said);
    const label = alerts.map((alert) => alert.message).join(" ");
    // Who speaks to the page says what is to be read there.
    attribute(button, "aria-label", `${said}, ${trans._n("%1 alert", "%1 alerts", alerts.length)}: ${label}`);
    attribute(button, "title", label);
    draw();
  };
  update(card);
  return update;
}

function shownAs(value: Alert["evidence"][string]): string {
  if (typeof value !== "number") return value ?? UNKNOWN;
  return Number.isInteger(value) ? count(value) : figure(value);
}

function told(alert: Alert, mute: ((rule: string) => void) | null): HTMLElement {
  const evidence = Object.entries(alert.evidence).flatMap(([name, value]) => [
    element("dt", {}, name.replaceAll("_", " ")),
    element("dd", {}, shownAs(value)),
  ]);
  const facts = element("dl", {}, ...evidence);
  const sentence = element("p", { class: "told" }, element("b", {}, `${titleOfRule(alert.rule)}: `), alert.message);
  if (!mute) return element("div", { class: "alert" }, sentence, facts);
  const button = element("button", { class: "button", type: "button", "data-testid": `mlops-mute-${alert.rule}` }, trans.__("Mute"));
  attribute(button, "title", trans.__("Hear no more of this about this job"));
  button.addEventListener("click", () => mute(alert.rule));
  return element("div", { class: "alert" }, sentence, facts, element("div", { class: "buttons" }, button));
}
