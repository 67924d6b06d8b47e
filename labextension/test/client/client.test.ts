import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Client, type Delivery } from "../../src/client/client";
import { FakeTransport } from "../../src/client/fake";
import type { Kind } from "../../src/client/transport";
import type { Event } from "../../src/protocol";
import { condition, type Link } from "../../src/state/connection";
import { anEvent, TIME } from "../builders";

const SERVER = { baseUrl: new URL("http://localhost/"), token: "" };
const BASE = { time: TIME, seq: null, priority: "low" } as const;

class Page {
  opened: FakeTransport[] = [];
  deliveries: Delivery[] = [];
  leaving = new AbortController();
  client = new Client(
    SERVER,
    (kind: Kind) => {
      const transport = new FakeTransport(kind);
      this.opened.push(transport);
      return transport;
    },
    () => 1,
  );

  constructor() {
    this.client.subscribe((delivery) => this.deliveries.push(delivery), this.leaving.signal);
  }

  get newest(): FakeTransport {
    return this.opened.at(-1) as FakeTransport;
  }

  get kinds(): Kind[] {
    return this.opened.map((transport) => transport.kind);
  }

  get sequence(): (number | null)[] {
    return this.deliveries.flatMap((d) => (d.kind === "events" ? d.events.map((event) => event.seq) : []));
  }

  get state(): Pick<Link, "phase" | "transport" | "attempt"> {
    const { phase, transport, attempt } = this.client.link;
    return { phase, transport, attempt };
  }

  /** Connected by `kind`, at sequence number `head` of the store. */
  greet(head = 0, transport = this.newest, epoch = "store-1"): FakeTransport {
    transport.tell({ type: "hello", epoch, head });
    if (!transport.cursor) transport.tell({ type: "snapshot", ...BASE, head, jobs: [] });
    return transport;
  }

  /** Two refused upgrades, then a poll that is answered. */
  startPolling(head = 0): FakeTransport {
    this.newest.end("refused");
    vi.advanceTimersByTime(1_500);
    this.newest.end("refused");
    return this.greet(head);
  }
}

function frame(prev: number, ...events: Event[]) {
  return { type: "frame", prev, events } as const;
}

let page: Page;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse(TIME) });
  page = new Page();
});

afterEach(() => {
  page.leaving.abort();
  vi.advanceTimersByTime(10_000);
  vi.useRealTimers();
});

describe("choosing", () => {
  test("a websocket comes first", () => {
    page.greet();
    expect({ kinds: page.kinds, ...page.state }).toEqual({
      kinds: ["websocket"],
      phase: "connected",
      transport: "websocket",
      attempt: 0,
    });
  });

  test("two refused upgrades lead to polling", () => {
    page.startPolling();
    expect({ kinds: page.kinds, ...page.state }).toEqual({
      kinds: ["websocket", "websocket", "polling"],
      phase: "connected",
      transport: "polling",
      attempt: 0,
    });
  });

  test("five seconds without a hello lead to polling", () => {
    vi.advanceTimersByTime(4_999);
    expect(page.kinds).toEqual(["websocket"]);
    vi.advanceTimersByTime(1);
    expect({ kinds: page.kinds, left: page.opened[0]?.closed }).toEqual({ kinds: ["websocket", "polling"], left: true });
  });

  test("while polling, a socket is tried each minute and taken when it works", () => {
    const polling = page.startPolling();
    vi.advanceTimersByTime(60_000);
    page.newest.end("refused");
    expect(page.state.transport).toBe("polling");
    vi.advanceTimersByTime(60_000);
    page.greet(0);
    expect({ kinds: page.kinds.slice(3), left: polling.closed, ...page.state }).toEqual({
      kinds: ["websocket", "websocket"],
      left: true,
      phase: "connected",
      transport: "websocket",
      attempt: 0,
    });
  });

  test("a socket that hangs beside polling is let go", () => {
    page.startPolling();
    vi.advanceTimersByTime(65_000);
    expect({ left: page.newest.closed, transport: page.state.transport }).toEqual({ left: true, transport: "polling" });
  });

  test("moving from polling to a socket loses and doubles nothing", () => {
    const polling = page.startPolling(10);
    polling.tell(frame(10, anEvent(11)));
    vi.advanceTimersByTime(60_000);
    const socket = page.newest;
    polling.tell(frame(11, anEvent(12)));
    page.greet(13, socket);
    socket.tell(frame(11, anEvent(12), anEvent(13)), frame(13, anEvent(14)));
    polling.tell(frame(12, anEvent(13)));
    expect({ resumedAt: socket.cursor, sequence: page.sequence }).toEqual({
      resumedAt: { since: 11, epoch: "store-1" },
      sequence: [11, 12, 13, 14],
    });
  });

  test("the network coming back is a reason to try at once", () => {
    page.greet();
    page.newest.end("dropped");
    window.dispatchEvent(new Event("online"));
    expect({ kinds: page.kinds, phase: page.state.phase }).toEqual({
      kinds: ["websocket", "websocket"],
      phase: "connecting",
    });
  });

  test("a user may ask for polling, and for the socket again", () => {
    page.greet();
    page.client.use("polling");
    page.greet();
    vi.advanceTimersByTime(120_000);
    expect(page.kinds).toEqual(["websocket", "polling"]);
    page.client.use("auto");
    page.greet();
    expect(page.state.transport).toBe("websocket");
  });

  test("a user may want no polling, whatever is refused", () => {
    page.client.use("websocket");
    for (let n = 1; n <= 4; n++) {
      page.newest.end("refused");
      vi.advanceTimersByTime(12_000);
    }
    vi.advanceTimersByTime(20_000);
    expect(new Set(page.kinds)).toEqual(new Set(["websocket"]));
    page.greet();
    expect(page.state).toMatchObject({ phase: "connected", transport: "websocket" });
  });
});

describe("trouble", () => {
  test("waits grow with each failure, up to twelve seconds", () => {
    const waits: number[] = [];
    for (let n = 1; n <= 8; n++) {
      page.newest.end(page.newest.kind === "websocket" ? "refused" : "unreachable");
      if (page.newest.kind === "polling" && !page.newest.closed) page.newest.end("unreachable");
      waits.push((page.client.link.retryAt ?? 0) - Date.now());
      vi.advanceTimersByTime(waits.at(-1) ?? 0);
    }
    expect(waits).toEqual([1.5, 4.5, 12, 12, 12, 12, 12, 12].map((s) => s * 1000));
  });

  test("thirty-eight seconds of silence mean that a socket is dead", () => {
    page.greet();
    vi.advanceTimersByTime(30_000);
    page.newest.tell({ type: "ping", ...BASE, nonce: 1, rtt: 0.038 });
    vi.advanceTimersByTime(37_000);
    expect(page.state.phase).toBe("connected");
    vi.advanceTimersByTime(1_500);
    expect({ left: page.opened[0]?.closed, phase: page.state.phase }).toEqual({ left: true, phase: "waiting" });
  });

  test("setting the clock changes nothing about who is taken for dead", () => {
    page.greet();
    vi.setSystemTime(Date.now() - 86_400_000);
    vi.advanceTimersByTime(36_000);
    expect(page.state.phase).toBe("connected");
    vi.advanceTimersByTime(2_000);
    expect(page.state.phase).toBe("waiting");
  });

  test("after a sleep the socket is opened anew at once, and what was waited for is tried", () => {
    page.greet();
    vi.setSystemTime(Date.now() + 600_000);
    vi.advanceTimersByTime(1_500);
    expect({ kinds: page.kinds, phase: page.state.phase }).toEqual({
      kinds: ["websocket", "websocket"],
      phase: "connecting",
    });
    page.newest.end("unreachable");
    vi.setSystemTime(Date.now() + 600_000);
    vi.advanceTimersByTime(1_500);
    expect(page.kinds).toEqual(["websocket", "websocket", "websocket"]);
  });

  test("a hidden tab whose timers rest keeps its socket while pings arrive", () => {
    page.greet();
    for (let minute = 0; minute < 3; minute++) {
      vi.setSystemTime(Date.now() + 60_000);
      page.newest.tell({ type: "ping", ...BASE, nonce: minute, rtt: 0.038 });
      vi.advanceTimersByTime(1_500);
    }
    expect({ kinds: page.kinds, phase: page.state.phase }).toEqual({ kinds: ["websocket"], phase: "connected" });
  });

  test("a page without a network is offline until its server is heard", () => {
    page.greet();
    window.dispatchEvent(new window.Event("offline"));
    const said = () => condition(page.client.link, Date.now());
    const before = said();
    vi.advanceTimersByTime(15_000);
    page.newest.tell({ type: "ping", ...BASE, nonce: 2, rtt: 0.001 });
    expect([before, said()]).toEqual(["offline", "live"]);
  });

  test("somebody signed out is told so, and nothing is tried any more", () => {
    page.newest.end("refused");
    vi.advanceTimersByTime(1_500);
    page.newest.end("refused");
    page.newest.end("forbidden", "403");
    vi.advanceTimersByTime(600_000);
    expect({ kinds: page.kinds, ...page.state }).toEqual({
      kinds: ["websocket", "websocket", "polling"],
      phase: "forbidden",
      transport: null,
      attempt: 1,
    });
  });

  test("a socket that falls right after each hello is not tried ever faster", () => {
    for (let n = 1; n <= 4; n++) {
      page.greet();
      page.newest.end("dropped");
      vi.advanceTimersByTime((page.client.link.retryAt ?? 0) - Date.now());
    }
    expect(page.state.attempt).toBe(4);
  });

  test("the last view to leave closes the connection, after a moment", () => {
    page.greet();
    page.leaving.abort();
    vi.advanceTimersByTime(4_000);
    expect(page.newest.closed).toBe(false);
    vi.advanceTimersByTime(2_000);
    expect({ closed: page.newest.closed, cursor: page.client.cursor }).toEqual({ closed: true, cursor: null });
  });
});

describe("resuming", () => {
  test("a dropped socket resumes at the cursor", () => {
    page.greet(4).tell(frame(4, anEvent(5), anEvent(6)));
    page.newest.end("dropped");
    vi.advanceTimersByTime(1_500);
    page.greet(8);
    expect({ cursor: page.newest.cursor, behind: page.client.link.behind }).toEqual({
      cursor: { since: 6, epoch: "store-1" },
      behind: true,
    });
    page.newest.tell(frame(6, anEvent(7), anEvent(8)));
    const { behind, replayed } = page.client.link;
    expect({ sequence: page.sequence, behind, replayed }).toEqual({
      sequence: [5, 6, 7, 8],
      behind: false,
      replayed: 2,
    });
  });

  test("events told twice are handed on once", () => {
    page.greet(0).tell(frame(0, anEvent(1), anEvent(2)), frame(1, anEvent(2), anEvent(3)));
    expect(page.sequence).toEqual([1, 2, 3]);
  });

  test("a frame that follows on something unseen is not taken: the stream is resumed", () => {
    page.greet(0).tell(frame(0, anEvent(1)), frame(2, anEvent(3)));
    expect({ sequence: page.sequence, left: page.opened[0]?.closed }).toEqual({ sequence: [1], left: true });
    vi.advanceTimersByTime(1_500);
    expect(page.newest.cursor).toEqual({ since: 1, epoch: "store-1" });
  });

  test("numbers passed over inside a stream are a hole to be filled", () => {
    page.greet(0).tell(frame(0, anEvent(1), anEvent(5)));
    const events = page.deliveries.filter((delivery) => delivery.kind === "events");
    expect({ holes: events.map((e) => e.hole), missed: page.client.link.missed }).toEqual({ holes: [true], missed: 3 });
  });

  test("a reset drops the cursor and the snapshot gives the new one", () => {
    page.greet(7);
    page.newest.end("dropped");
    vi.advanceTimersByTime(1_500);
    page.newest.tell(
      { type: "hello", epoch: "store-2", head: 3 },
      { type: "reset", ...BASE, epoch: "store-2", why: "The store was replaced" },
      { type: "snapshot", ...BASE, head: 3, jobs: [] },
      frame(3, anEvent(4)),
    );
    const told = page.deliveries.filter((delivery) => delivery.kind !== "link").map((delivery) => delivery.kind);
    expect({ told, cursor: page.client.cursor }).toEqual({
      told: ["snapshot", "reset", "snapshot", "events"],
      cursor: { since: 4, epoch: "store-2" },
    });
  });

  test("a restarted server with the same store is resumed like a dropped socket", () => {
    page.greet(7);
    page.newest.end("dropped");
    vi.advanceTimersByTime(1_500);
    page.greet(9).tell(frame(7, anEvent(8), anEvent(9)));
    expect({ sequence: page.sequence, kinds: page.deliveries.filter((d) => d.kind === "reset") }).toEqual({
      sequence: [8, 9],
      kinds: [],
    });
  });

  test("a hidden page that is shown says that it catches up until it has what it missed", () => {
    page.greet(4);
    page.newest.tell({ type: "hello", epoch: "store-1", head: 6 });
    const before = page.client.link.behind;
    page.newest.tell(frame(4, anEvent(5), anEvent(6)));
    expect([before, page.client.link.behind]).toEqual([true, false]);
  });

  test("the round trip shown is the one the server measured", () => {
    page.greet();
    page.newest.tell({ type: "ping", ...BASE, nonce: 1, rtt: null }, { type: "ping", ...BASE, nonce: 2, rtt: 0.038 });
    expect(page.client.link.rtt).toBe(0.038);
  });
});
