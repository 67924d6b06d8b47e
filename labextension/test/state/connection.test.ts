import { expect, test } from "vitest";
import { type Condition, type Connection, GONE_MS, knownUntil, type Link, NO_CONNECTION, NO_LINK, settle, slowestUsual } from "../../src/state/connection";

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
  ["no network, and nothing heard since", { ...LIVE, offlineSince: 0 }, "offline"],
  ["no network, but a server on this machine", { ...LIVE, heardAt: 1, offlineSince: 0 }, "live"],
  ["no network while trying", { phase: "waiting", downSince: 0, offlineSince: 0 }, "offline"],
  ["polling without a network", { ...LIVE, transport: "polling", offlineSince: 0 }, "offline"],
  ["replaying by polling", { ...LIVE, transport: "polling", behind: true }, "catching-up"],
  ["signed out", { phase: "forbidden" }, "forbidden"],
])("%s is said at once when a card comes up", (_name, link, word) => {
  expect(shown([0, link])).toEqual([word]);
});

test("a socket whose pings stop is slow after 22 seconds, whatever it was (P36)", () => {
  expect(shown([0, LIVE], [22, { ...LIVE, pingAt: 0 }], [23, { ...LIVE, pingAt: 0 }], [25, { ...LIVE, pingAt: 0 }])).toEqual([
    "live",
    "live",
    "live",
    "slow",
  ]);
});

test("numbers are of now on a working socket alone, else of when the server was last heard (P36)", () => {
  const words: [Partial<Link>, Condition][] = [
    [LIVE, "live"],
    [{ ...LIVE, rtt: 0.3 }, "slow"],
    [{ ...LIVE, behind: true }, "catching-up"],
    [{ ...LIVE, transport: "polling" }, "polling"],
    [{ phase: "waiting", downSince: 9_000 }, "live"],
    [{ phase: "waiting", downSince: 0 }, "reconnecting"],
    [{ phase: "waiting", downSince: -GONE_MS }, "offline"],
  ];
  const known = words.map(([link, word]) =>
    knownUntil({ link: { ...NO_LINK, ...link, heardAt: 5_000 }, shown: word, changing: null }, 10_000),
  );
  expect(known).toEqual([10_000, 10_000, 5_000, 5_000, 5_000, 5_000, 5_000]);
});

test("a clock that is set back during a change does not keep the old word (P35, P36)", () => {
  const down: Partial<Link> = { phase: "waiting", downSince: 1_000_000 };
  const words = shown([900, LIVE], [1_000, down], [1_000.5, down], [500, down], [501.9, down], [502, down]);
  expect(words).toEqual(["live", "live", "live", "live", "live", "reconnecting"]);
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
