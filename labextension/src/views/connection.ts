/** How the page hears of the job: shape, word and colour; a click tells more. */

import type { Act } from "../state/actions";
import type { Card } from "../state/card";
import { type Condition, type Connection, slowestUsual } from "../state/connection";
import { roughly, UNKNOWN } from "../state/figures";
import { isOver } from "../state/job";
import { preferences } from "../state/preferences";
import { trans } from "../words";
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
  const name = { label: trans.__("Connection"), testid: "mlops-connection-details", role: "dialog" };
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
      return trans.__("Connecting");
    case "live":
      return trans.__("Live");
    case "slow":
      return trans.__("Slow");
    case "catching-up":
      return trans.__("Catching up");
    case "polling":
      return trans.__("Polling · %1", roughly(preferences.pollSeconds));
    case "relay":
      return trans.__("Relay");
    case "reconnecting":
      return trans.__("Reconnecting… try %1", String(Math.max(link.attempt, 1)));
    case "offline":
      return link.offlineSince === null ? trans.__("Server not reachable") : trans.__("Offline");
    case "forbidden":
      return trans.__("Signed out");
  }
}

/** ` · 38 ms`, `, next in 4 s`: left out where room is scarce. */
function detail({ link, shown }: Connection, now: number): string {
  if (shown === "live" || shown === "slow") return link.rtt === null ? "" : ` · ${milliseconds(link.rtt)}`;
  if (shown !== "reconnecting" || link.retryAt === null) return "";
  return trans.__(", next in %1", `${Math.max(Math.ceil((link.retryAt - now) / 1000), 1)}\u202fs`);
}

function milliseconds(seconds: number): string {
  return `${Math.max(Math.round(seconds * 1000), 1)}\u202fms`;
}

function way(shown: Condition): string {
  switch (shown) {
    case "connecting":
      return trans.__("Connecting");
    case "live":
      return trans.__("Websocket");
    case "slow":
      return trans.__("Websocket, slow");
    case "catching-up":
      return trans.__("Websocket, replaying what was missed");
    case "polling":
      return trans.__("Polling every %1 (%2 in hidden tabs)", roughly(preferences.pollSeconds), roughly(Math.max(preferences.pollSeconds, 10)));
    case "relay":
      return trans.__("Relay through the kernel, four times a second at most; it hears buttons when no cell runs");
    case "reconnecting":
    case "offline":
      return trans.__("None; trying");
    case "forbidden":
      return trans.__("None: the server says that you are signed out. Reload the page to sign in.");
  }
}

function tell(panel: HTMLElement, card: Told, act: Act, close: () => void): void {
  const { link, shown } = card.connection;
  const slowest = slowestUsual(link);
  const rows: [string, string][] = [
    [trans.__("Transport"), way(shown)],
    [trans.__("Round trip"), link.rtt === null ? UNKNOWN : milliseconds(link.rtt)],
    [trans.__("95 % within"), slowest === null ? UNKNOWN : trans.__("%1 (last 5 min)", milliseconds(slowest))],
    [trans.__("Last event"), link.eventAt === null ? UNKNOWN : trans.__("%1 ago", roughly((card.now - link.eventAt) / 1000))],
    [trans.__("Replayed"), trans._n("%1 event", "%1 events", link.replayed)],
    [trans.__("Asked for again"), trans._n("%1 event", "%1 events", link.missed)],
    [trans.__("Server"), link.server || UNKNOWN],
    [trans.__("Version"), link.version || UNKNOWN],
  ];
  if (link.detail) rows.push([trans.__("Trouble"), link.detail]);
  const { transport } = link;
  fill(panel, JSON.stringify([rows, transport]), () => [
    element(
      "dl",
      {},
      ...rows.flatMap(([label, value]) => [element("dt", {}, label), element("dd", {}, value)]),
    ),
    element(
      "div",
      { class: "buttons" },
      choice(trans.__("Reconnect"), () => act({ do: "reconnect" })),
      ...other(),
    ),
  ]);

  /** The way that is not taken, where there are two. */
  function other(): HTMLButtonElement[] {
    if (transport === "relay") return [];
    if (transport === "polling") return [choice(trans.__("Use websocket"), () => act({ do: "use", way: "auto" }))];
    return [choice(trans.__("Use polling"), () => act({ do: "use", way: "polling" }))];
  }

  function choice(label: string, chosen: () => void): HTMLButtonElement {
    const button = element("button", { class: "button", type: "button" }, label);
    button.addEventListener("click", () => {
      close();
      chosen();
    });
    return button;
  }
}
