/** One contract, kept by every transport. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeTransport } from "../../src/client/fake";
import { PollingTransport } from "../../src/client/polling";
import { Channel, RelayTransport } from "../../src/client/relay";
import { Rest } from "../../src/client/rest";
import type { Cursor, Ending, Listener, Message, Transport } from "../../src/client/transport";
import { WebsocketTransport } from "../../src/client/websocket";
import type { Event } from "../../src/protocol";
import { aChange, anEvent, TIME } from "../builders";
import { EventServer } from "./event_server";
import { Kernel } from "./kernel";

class Heard implements Listener {
  messages: Message[] = [];
  endings: Ending[] = [];

  message(message: Message): void {
    this.messages.push(message);
  }

  ended(ending: Ending): void {
    this.endings.push(ending);
  }

  get kinds(): string[] {
    const kinds = this.messages.filter((message) => message.type !== "ping" && !isEmpty(message));
    return kinds.map((message) => message.type).filter((kind, i, all) => kind !== "hello" || all.indexOf(kind) === i);
  }

  get causes(): string[] {
    const told = this.messages.flatMap((message) => (message.type === "latest" ? message.events : []));
    return told.map((event) => (event.type === "health_change" ? event.cause : ""));
  }

  get sequence(): (number | null)[] {
    return this.messages.flatMap((message) => (message.type === "frame" ? message.events : [])).map((e) => e.seq);
  }
}

function isEmpty(message: Message): boolean {
  return message.type === "frame" && message.events.length === 0;
}

/** A server's side of a transport. */
interface Side {
  make(): Transport;
  add(...events: Event[]): void;
  tell(event: Event): void;
  replaceStore(): void;
  goAway(): Promise<void>;
  forbid(): void;
}

const sides: Record<string, () => Promise<Side & { stop(): Promise<void> }>> = {
  websocket: () => real("websocket"),
  polling: () => real("polling"),
  relay: async () => relayed(),
  fake: async () => scripted(),
};

function relayed() {
  const kernel = new Kernel();
  const trouble = () => {
    kernel.trouble = "the mlops server does not answer";
    kernel.send();
  };
  return {
    make: () => {
      kernel.open();
      return new RelayTransport(new Channel(kernel.model));
    },
    add: (...events: Event[]) => {
      kernel.events.push(...events);
      kernel.send();
    },
    tell: (event: Event) => {
      kernel.latest = { [event.type]: event };
      kernel.rev += 1;
      kernel.send();
    },
    replaceStore: () => {
      kernel.epoch = "store-2";
      kernel.open();
    },
    goAway: async () => trouble(),
    // The kernel is the server's user, and says what it was told.
    forbid: trouble,
    stop: async () => {},
  };
}

async function real(kind: "websocket" | "polling") {
  const server = new EventServer();
  const page = await server.start();
  window.happyDOM?.setURL(page.baseUrl.href);
  return {
    make: () => (kind === "websocket" ? new WebsocketTransport(page) : new PollingTransport(new Rest(page))),
    add: (...events: Event[]) => server.add(...events),
    tell: (event: Event) => server.tell(event),
    replaceStore: () => {
      server.epoch = "store-2";
    },
    goAway: () => server.stop(),
    forbid: () => {
      server.onUpgrade = "403 Forbidden";
      server.refusePolls = 403;
    },
    stop: () => server.stop(),
  };
}

/** What a server would say, said to a `FakeTransport`. */
function scripted() {
  let epoch = "store-1";
  let forbidden = false;
  let newest: Event | null = null;
  const events: Event[] = [];
  const opened: FakeTransport[] = [];
  const head = () => events.at(-1)?.seq ?? 0;
  class Scripted extends FakeTransport {
    override open(cursor: Cursor | null, listener: Listener): void {
      super.open(cursor, listener);
      opened.push(this);
      queueMicrotask(() => this.#greet(cursor));
    }

    #greet(cursor: Cursor | null): void {
      if (forbidden) {
        this.end("forbidden");
        return;
      }
      this.tell({ type: "hello", epoch, head: head() });
      const base = { time: TIME, seq: null, priority: "low" } as const;
      if (cursor && cursor.epoch !== epoch) this.tell({ type: "reset", ...base, epoch, why: "replaced" });
      if (cursor?.epoch !== epoch) this.tell({ type: "snapshot", ...base, head: head(), jobs: [] });
      else this.tell({ type: "frame", events: events.filter((e) => (e.seq ?? 0) > cursor.since), prev: cursor.since });
      if (newest) this.tell({ type: "latest", events: [newest] });
    }
  }
  return {
    make: () => new Scripted(),
    add: (...added: Event[]) => {
      const prev = head();
      events.push(...added);
      for (const transport of opened) transport.tell({ type: "frame", events: added, prev });
    },
    tell: (event: Event) => {
      newest = event;
      for (const transport of opened) transport.tell({ type: "latest", events: [event] });
    },
    replaceStore: () => {
      epoch = "store-2";
    },
    goAway: async () => {
      for (const transport of opened) transport.end("dropped");
    },
    forbid: () => {
      forbidden = true;
    },
    stop: async () => {},
  };
}

/** What is heard of a server that went away, and of one that refuses. */
const ENDINGS: Record<string, { gone: Ending; forbidden: Ending }> = {
  websocket: { gone: "dropped", forbidden: "refused" },
  polling: { gone: "unreachable", forbidden: "forbidden" },
  relay: { gone: "unreachable", forbidden: "unreachable" },
  fake: { gone: "dropped", forbidden: "forbidden" },
};

describe.each(Object.keys(sides))("the %s transport", (name) => {
  let side: Awaited<ReturnType<(typeof sides)[string]>>;
  let heard: Heard;
  let transport: Transport;

  beforeEach(async () => {
    side = await (sides[name] as (typeof sides)[string])();
    heard = new Heard();
    transport = side.make();
  });

  afterEach(async () => {
    transport.close();
    await side.stop();
  });

  test("greets a newcomer with hello and a snapshot, then tells what happens", async () => {
    side.add(anEvent(1));
    transport = side.make();
    transport.open(null, heard);
    await vi.waitFor(() => expect(heard.kinds).toEqual(["hello", "snapshot"]));
    side.add(anEvent(2), anEvent(3));
    await vi.waitFor(() => expect(heard.sequence).toEqual([2, 3]), 4000);
    expect(heard.endings).toEqual([]);
  });

  test("replays what came after the cursor, and no snapshot", async () => {
    side.add(anEvent(1), anEvent(2), anEvent(3));
    transport.open({ since: 1, epoch: "store-1" }, heard);
    await vi.waitFor(() => expect(heard.sequence).toEqual([2, 3]));
    expect(heard.kinds).toEqual(["hello", "frame"]);
  });

  test("tells the newest of what is in no store, once", async () => {
    side.tell(aChange("first"));
    side.tell(aChange("second"));
    transport.open(null, heard);
    await vi.waitFor(() => expect(heard.causes).toEqual(["second"]));
    side.tell(aChange("third"));
    side.add(anEvent(1));
    await vi.waitFor(() => expect(heard.sequence).toEqual([1]), 4000);
    expect(heard.causes).toEqual(["second", "third"]);
  });

  test("says that a cursor of another store is worth nothing", async () => {
    side.add(anEvent(1));
    side.replaceStore();
    transport.open({ since: 1, epoch: "store-1" }, heard);
    await vi.waitFor(() => expect(heard.kinds).toEqual(["hello", "reset", "snapshot"]));
  });

  test("says once that it ended, and nothing after", async () => {
    transport.open(null, heard);
    await vi.waitFor(() => expect(heard.kinds).toEqual(["hello", "snapshot"]));
    await side.goAway();
    await vi.waitFor(() => expect(heard.endings).toEqual([ENDINGS[name]?.gone]), 4000);
    transport.close();
    side.add(anEvent(1));
    expect({ endings: heard.endings.length, sequence: heard.sequence }).toEqual({ endings: 1, sequence: [] });
  });

  test("is silent once closed", async () => {
    transport.open(null, heard);
    await vi.waitFor(() => expect(heard.kinds).toEqual(["hello", "snapshot"]));
    transport.close();
    side.add(anEvent(1));
    await side.goAway();
    expect({ endings: heard.endings, sequence: heard.sequence }).toEqual({ endings: [], sequence: [] });
  });

  test("ends when nobody may listen", async () => {
    side.forbid();
    transport.open(null, heard);
    // A browser does not tell why an upgrade was refused.
    await vi.waitFor(() => expect(heard.endings).toEqual([ENDINGS[name]?.forbidden]));
    expect(heard.messages).toEqual([]);
  });
});

test("a ping over the websocket is answered at once", async () => {
  const server = new EventServer();
  const transport = new WebsocketTransport(await server.start());
  transport.open(null, new Heard());
  await vi.waitFor(() => expect(server.pongs).toEqual([{ type: "pong", nonce: 1 }]));
  transport.close();
  await server.stop();
});

test("a socket of somebody who signed out is given up within a minute", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const server = new EventServer();
  const page = await server.start();
  window.happyDOM?.setURL(page.baseUrl.href);
  const transport = new WebsocketTransport(page);
  const heard = new Heard();
  transport.open(null, heard);
  await vi.waitFor(() => expect(heard.kinds).toEqual(["hello", "snapshot"]));
  server.add(anEvent(1));
  await vi.waitFor(() => expect(heard.sequence).toEqual([1]));
  vi.advanceTimersByTime(60_000);
  await vi.waitFor(() => expect(server.asked).toContain("/user/x%20y/mlops/api/events?since=1&epoch=store-1"));
  expect(heard.endings).toEqual([]);
  server.refusePolls = 403;
  vi.advanceTimersByTime(60_000);
  await vi.waitFor(() => expect(heard.endings).toEqual(["forbidden"]));
  await vi.waitFor(() => expect(server.sockets).toBe(0));
  vi.useRealTimers();
  await server.stop();
});

test("a page nobody looks at says so, and when it is shown again", async () => {
  const server = new EventServer();
  const transport = new WebsocketTransport(await server.start());
  const state = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  transport.open(null, new Heard());
  await vi.waitFor(() => expect(server.pongs).toContainEqual({ type: "shown", shown: false }));
  state.mockRestore();
  document.dispatchEvent(new window.Event("visibilitychange"));
  await vi.waitFor(() => expect(server.pongs).toContainEqual({ type: "shown", shown: true }));
  transport.close();
  await server.stop();
});

test("no token ever stands in an address", async () => {
  const server = new EventServer();
  const page = { ...(await server.start()), token: "secret" };
  window.happyDOM?.setURL(page.baseUrl.href);
  const heard = new Heard();
  const [socket, polling] = [new WebsocketTransport(page), new PollingTransport(new Rest(page))];
  socket.open({ since: 0, epoch: "store-1" }, heard);
  polling.open({ since: 0, epoch: "store-1" }, heard);
  await vi.waitFor(() => expect(server.asked).toHaveLength(2));
  expect(server.asked.toSorted()).toEqual([
    "/user/x%20y/mlops/api/events/subscribe?since=0&epoch=store-1",
    "/user/x%20y/mlops/api/events?since=0&epoch=store-1&rev=0",
  ]);
  socket.close();
  polling.close();
  await server.stop();
});

test("a page without a token shows with each request, those that only read included, whose it is", async () => {
  const sent: [string, string | undefined][] = [];
  vi.stubGlobal("fetch", async (_: URL, { method, headers }: { method: string; headers: Record<string, string> }) => {
    sent.push([method, headers["X-XSRFToken"]]);
    return new Response("{}");
  });
  document.cookie = "_xsrf=of-this-page";
  const rest = new Rest({ baseUrl: new URL("http://localhost/user/x%20y/"), token: "" });
  await rest.events(null);
  await rest.stop("j-1");
  expect(sent).toEqual([
    ["GET", "of-this-page"],
    ["POST", "of-this-page"],
  ]);
  document.cookie = "_xsrf=; max-age=0";
  vi.unstubAllGlobals();
});
