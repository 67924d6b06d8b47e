/** How the page hears of the job: shape, word and colour; a click tells more. */

import type { Act } from "../state/actions";
import type { Card } from "../state/card";
import { type Condition, type Connection, slowestUsual } from "../state/connection";
import { roughly, UNKNOWN } from "../state/figures";
import { isOver } from "../state/job";
import { element, fill, say, show } from "./element";
import { draw, mark } from "./marks";
import { popover } from "./popover";

/** What the indicator needs to know: of a card, or of a page as a whole. */
type Told = Pick<Card, "source" | "job" | "connection" | "now">;

export function mount(el: HTMLElement, card: Told, signal: AbortSignal, act: Act): (next: Told) => void {
  const shape = mark("connecting");
  const word = element("span", {});
  const extra = element("span", { class: "where" });
  const button = element(
    "button",
    { class: "connection", type: "button", "data-testid": "mlops-connection" },
    shape,
    element("span", {}, word, extra),
  );
  let shown = card;
  const name = { label: "Connection", testid: "mlops-connection-details", role: "dialog" };
  const more = popover(button, name, () => tell(more.panel, shown, act, () => more.close()), signal);
  el.append(button, more.panel);

  const update = (next: Told) => {
    shown = next;
    const { connection } = next;
    const over = next.job !== null && isOver(next.job);
    show(button, next.source === "server" && !over && connection.shown !== "connecting");
    draw(shape, connection.shown);
    say(word, words(connection));
    say(extra, detail(connection, next.now));
    button.dataset["condition"] = connection.shown;
  };
  update(card);
  return update;
}

/** `Live`, `Reconnecting… try 3`. */
export function words({ link, shown }: Connection): string {
  switch (shown) {
    case "connecting":
      return "Connecting";
    case "live":
      return "Live";
    case "slow":
      return "Slow";
    case "catching-up":
      return "Catching up";
    case "polling":
      return "Polling · 2\u202fs";
    case "reconnecting":
      return `Reconnecting… try ${Math.max(link.attempt, 1)}`;
    case "offline":
      return link.offlineSince === null ? "Server not reachable" : "Offline";
    case "forbidden":
      return "Signed out";
  }
}

/** ` · 38 ms`, `, next in 4 s`: left out where room is scarce. */
function detail({ link, shown }: Connection, now: number): string {
  if (shown === "live" || shown === "slow") return link.rtt === null ? "" : ` · ${milliseconds(link.rtt)}`;
  if (shown !== "reconnecting" || link.retryAt === null) return "";
  return `, next in ${Math.max(Math.ceil((link.retryAt - now) / 1000), 1)}\u202fs`;
}

function milliseconds(seconds: number): string {
  return `${Math.max(Math.round(seconds * 1000), 1)}\u202fms`;
}

const WAYS: Record<Exclude<Condition, "connecting">, string> = {
  live: "Websocket",
  slow: "Websocket, slow",
  "catching-up": "Websocket, replaying what was missed",
  polling: "Polling every 2\u202fs (10\u202fs in hidden tabs); a websocket is tried each minute",
  reconnecting: "None; trying",
  offline: "None; trying",
  forbidden: "None: the server says that you are signed out. Reload the page to sign in.",
};

function tell(panel: HTMLElement, card: Told, act: Act, close: () => void): void {
  const { link, shown } = card.connection;
  const slowest = slowestUsual(link);
  const rows: [string, string][] = [
    ["Transport", shown === "connecting" ? "Connecting" : WAYS[shown]],
    ["Round trip", link.rtt === null ? UNKNOWN : milliseconds(link.rtt)],
    ["95 % within", slowest === null ? UNKNOWN : `${milliseconds(slowest)} (last 5 min)`],
    ["Last event", link.eventAt === null ? UNKNOWN : `${roughly((card.now - link.eventAt) / 1000)} ago`],
    ["Replayed", `${link.replayed} events`],
    ["Asked for again", `${link.missed} events`],
    ["Server", link.server || UNKNOWN],
    ["Version", link.version || UNKNOWN],
  ];
  if (link.detail) rows.push(["Trouble", link.detail]);
  const polls = link.transport === "polling";
  fill(panel, JSON.stringify([rows, polls]), () => [
    element(
      "dl",
      {},
      ...rows.flatMap(([label, value]) => [element("dt", {}, label), element("dd", {}, value)]),
    ),
    element(
      "div",
      { class: "buttons" },
      choice("Reconnect", () => act({ do: "reconnect" })),
      polls
        ? choice("Use websocket", () => act({ do: "use", way: "auto" }))
        : choice("Use polling", () => act({ do: "use", way: "polling" })),
    ),
  ]);

  function choice(label: string, chosen: () => void): HTMLButtonElement {
    const button = element("button", { class: "button", type: "button" }, label);
    button.addEventListener("click", () => {
      close();
      chosen();
    });
    return button;
  }
}
