import { expect, test } from "vitest";
import { type Condition, type Connection, GONE_MS, type Link, NO_CONNECTION, NO_LINK, settle, slowestUsual } from "../../src/state/connection";

const LIVE: Partial<Link> = { phase: "connected", transport: "websocket", heardAt: 0 };

/** What is shown after each of these facts, told at these seconds. */
function shown(...facts: [seconds: number, link: Partial<Link>][]): Condition[] {
  let connection: Connection = NO_CONNECTION;
  return facts.map(([seconds, link]) => {
    connection = settle(connection, { ...NO_LINK, ...link }, seconds * 1000);
    return connection.shown;
  });
}

test.each<[string, Partial<Link>, Condition]>([
  ["a socket", LIVE, "live"],
  ["a slow socket", { ...LIVE, rtt: 0.3 }, "slow"],
  ["a missed ping", { ...LIVE, pingAt: -22_001 }, "slow"],
  ["replaying", { ...LIVE, behind: true }, "catching-up"],
  ["polling", { ...LIVE, transport: "polling" }, "polling"],
  ["waiting", { phase: "waiting", downSince: 0 }, "reconnecting"],
  ["trying again", { phase: "connecting", downSince: 0 }, "reconnecting"],
  ["waiting for long", { phase: "waiting", downSince: -GONE_MS - 1 }, "offline"],
  ["no network", { ...LIVE, online: false }, "offline"],
  ["signed out", { phase: "forbidden" }, "forbidden"],
])("%s is said at once when a card comes up", (_name, link, word) => {
  expect(shown([0, link])).toEqual([word]);
});

test("a change shorter than two seconds is not shown", () => {
  expect(shown([0, LIVE], [10, { phase: "waiting", downSince: 10_000 }], [11.9, LIVE], [20, LIVE])).toEqual([
    "live",
    "live",
    "live",
    "live",
  ]);
});

test("a change that lasts is shown after two seconds", () => {
  const down: Partial<Link> = { phase: "waiting", downSince: 10_000 };
  expect(shown([0, LIVE], [10, down], [11, down], [12, down], [13, LIVE], [15, LIVE])).toEqual([
    "live",
    "live",
    "live",
    "reconnecting",
    "reconnecting",
    "live",
  ]);
});

test("the 95th percentile of the round trips is one of them", () => {
  const rtts = Array.from({ length: 20 }, (_, i) => ({ at: i, seconds: (i + 1) / 1000 }));
  expect([slowestUsual({ ...NO_LINK, rtts }), slowestUsual(NO_LINK)]).toEqual([0.019, null]);
});
