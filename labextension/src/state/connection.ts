/**
 * What is known of the connection to the server, and the word that says it. Facts come from the client (`Link`);
 * the word shown follows them only after two seconds, so that a short dropout does not flicker.
 */

/** Facts of this moment. Times are local milliseconds, round trips seconds. */
export interface Link {
  /** `waiting`: nothing works, the next try is at `retryAt`. `forbidden`: signed out, nothing is tried any more. */
  phase: "connecting" | "connected" | "waiting" | "forbidden";
  transport: "websocket" | "polling" | "relay" | null;
  /** Events of the time without connection are still arriving. */
  behind: boolean;
  /** Tries that failed in a row. */
  attempt: number;
  retryAt: number | null;
  downSince: number | null;
  /** When the server last said anything. */
  heardAt: number | null;
  /** When an event last came. */
  eventAt: number | null;
  /** When the server last pinged, or the connection began. */
  pingAt: number | null;
  rtt: number | null;
  /** Round trips of the last five minutes, oldest first. */
  rtts: readonly { at: number; seconds: number }[];
  replayed: number;
  missed: number;
  /** The server's clock minus ours, milliseconds; null while it is not known. */
  skew: number | null;
  /** Since when the browser says that there is no network; null while it does not. */
  offlineSince: number | null;
  server: string;
  version: string;
  detail: string;
}

export const NO_LINK: Link = {
  phase: "connecting",
  transport: null,
  behind: false,
  attempt: 0,
  retryAt: null,
  downSince: null,
  heardAt: null,
  eventAt: null,
  pingAt: null,
  rtt: null,
  rtts: [],
  replayed: 0,
  missed: 0,
  skew: null,
  offlineSince: null,
  server: "",
  version: "",
  detail: "",
};

export type Condition =
  | "connecting"
  | "live"
  | "slow"
  | "catching-up"
  | "polling"
  | "relay"
  | "reconnecting"
  | "offline"
  | "forbidden";

export interface Connection {
  link: Link;
  /** What is shown; follows what holds after `SETTLE_MS`. */
  shown: Condition;
  /** Since when something else than `shown` holds; null while they agree. */
  changing: number | null;
}

export const NO_CONNECTION: Connection = { link: NO_LINK, shown: "connecting", changing: null };

export const SETTLE_MS = 2_000;
const SLOW_SECONDS = 0.3;
/** The server pings every 15 s; later than this, one was missed. */
export const MISSED_PING_MS = 22_000;
/** Tries go on for ever; after this long the card says that the server is gone. */
export const GONE_MS = 30_000;

export function condition(link: Link, now: number): Condition {
  if (link.phase === "forbidden") return "forbidden";
  // A server on this very machine is heard without a network, too.
  if (link.offlineSince !== null && (link.heardAt ?? 0) <= link.offlineSince) return "offline";
  if (link.phase === "connecting" && link.downSince === null) return "connecting";
  if (link.phase !== "connected") {
    return link.downSince !== null && now - link.downSince > GONE_MS ? "offline" : "reconnecting";
  }
  if (link.behind) return "catching-up";
  if (link.transport === "polling" || link.transport === "relay") return link.transport;
  const pingMissed = link.pingAt !== null && now - link.pingAt > MISSED_PING_MS;
  return pingMissed || (link.rtt ?? 0) >= SLOW_SECONDS ? "slow" : "live";
}

/** The connection after `link` was heard of, or after time went by. */
export function settle(before: Connection, link: Link, now: number): Connection {
  const holds = condition(link, now);
  if (holds === before.shown) return { link, shown: holds, changing: null };
  if (before.shown === "connecting" || holds === "forbidden") return { link, shown: holds, changing: null };
  // A clock that was set back starts them anew: a word that holds no more must not stay until it catches up.
  const since = Math.min(before.changing ?? now, now);
  return now - since >= SETTLE_MS
    ? { link, shown: holds, changing: null }
    : { link, shown: before.shown, changing: since };
}

/** Whether what is shown comes from a server that answers now. */
export function answering(connection: Connection): boolean {
  return ["live", "slow", "catching-up", "polling", "relay"].includes(connection.shown);
}

/** Until when the numbers are known to hold: now where silence means no news, else the last answer. Local milliseconds. */
export function knownUntil(connection: Connection, now: number): number | null {
  const { link, shown } = connection;
  return ["live", "slow", "relay"].includes(shown) && link.phase === "connected" ? now : link.heardAt;
}

/** The 95th percentile of the round trips kept, seconds; null before the first. */
export function slowestUsual(link: Link): number | null {
  const sorted = link.rtts.map((trip) => trip.seconds).sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? null;
}
