import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Client } from "../../src/client/client";
import { relayClient } from "../../src/client/relay";
import type { Event } from "../../src/protocol";
import { anEvent, TIME } from "../builders";
import { Kernel } from "./kernel";

class Page {
  kernel = new Kernel();
  leaving = new AbortController();
  events: Event[] = [];
  heard: string[] = [];
  client: Client;

  constructor(prepare: (kernel: Kernel) => void = () => {}) {
    prepare(this.kernel);
    this.kernel.open();
    this.client = relayClient(this.kernel.model);
    this.client.subscribe((delivery) => {
      if (delivery.kind === "events") this.events.push(...delivery.events);
      if (delivery.kind !== "link") this.heard.push(delivery.kind);
    }, this.leaving.signal);
    vi.advanceTimersByTime(0);
  }

  get sequence(): (number | null)[] {
    return this.events.map(({ seq }) => seq);
  }

  tell(...seqs: number[]): void {
    this.kernel.events.push(...seqs.map((seq) => anEvent(seq)));
    this.kernel.send();
    vi.advanceTimersByTime(0);
  }
}

let page: Page;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse(TIME) });
});

afterEach(() => {
  page.leaving.abort();
  vi.useRealTimers();
});

describe("the relay", () => {
  test("is connected as soon as the model holds something, and names the server", async () => {
    page = new Page();
    await vi.advanceTimersByTimeAsync(1);
    const { phase, transport, server, version } = page.client.link;
    expect({ phase, transport, server, version }).toEqual({
      phase: "connected",
      transport: "relay",
      server: "Private server, process 7",
      version: "1",
    });
  });

  test("tells each event once, whatever is repeated, left out or opened anew on the way", async () => {
    page = new Page();
    await vi.advanceTimersByTimeAsync(1);
    page.tell(1, 2);
    page.kernel.send();
    page.tell(3);
    // An opening of which the page has everything.
    page.kernel.open();
    page.tell(4);
    expect(page.sequence).toEqual([1, 2, 3, 4]);
    expect(page.heard).not.toContain("reset");
    // One beyond what it was told: it begins anew.
    page.kernel.events.push(anEvent(5), anEvent(6));
    page.kernel.open();
    page.tell(7);
    expect(page.sequence).toEqual([1, 2, 3, 4, 7]);
    expect(page.heard.slice(-3)).toEqual(["reset", "snapshot", "events"]);
  });

  test("answers from the opening as long as nothing was told beyond it, then asks the kernel", async () => {
    page = new Page((kernel) => {
      kernel.answers = { "jobs?id=j-1": { epoch: "store-1", head: 0, jobs: [{ job_id: "j-1" }] } };
    });
    await vi.advanceTimersByTimeAsync(1);
    expect(await page.client.rest.findJob("j-1")).toMatchObject({ job: { job_id: "j-1" } });
    expect(page.kernel.asked).toEqual([]);
    page.tell(1);
    const answer = page.client.rest.findJob("j-1");
    expect(page.kernel.asked).toMatchObject([{ method: "GET", path: "jobs?id=j-1" }]);
    page.kernel.answer({ jobs: [] });
    expect(await answer).toBeNull();
  });

  test("answers no question that an event gave rise to from before that event", async () => {
    page = new Page((kernel) => {
      kernel.answers = { pipelines: { pipelines: [{ name: "churn", version: 1 }] } };
    });
    await vi.advanceTimersByTimeAsync(1);
    let answer: Promise<unknown> | null = null;
    page.client.subscribe(({ kind }) => {
      if (kind === "events") answer = page.client.rest.ask("GET", "pipelines");
    }, page.leaving.signal);
    page.tell(1);
    page.kernel.answer({ pipelines: [] });
    expect(await answer).toEqual({ pipelines: [] });
  });

  test("carries orders to the kernel and refusals back", async () => {
    page = new Page();
    const stopped = page.client.rest.stop("j-1");
    expect(page.kernel.asked).toMatchObject([{ method: "POST", path: "jobs/j-1/stop" }]);
    page.kernel.answer({ message: "It is over." }, 409);
    await expect(stopped).rejects.toMatchObject({ status: 409, message: "It is over." });
    void page.client.rest.rerun("j-1", "once");
    expect(page.kernel.asked).toMatchObject([{ path: "jobs/j-1/rerun", key: "once" }]);
  });

  test("says what the kernel says of the server, and goes on when that is back", async () => {
    page = new Page();
    await vi.advanceTimersByTimeAsync(1);
    page.kernel.trouble = "no server";
    page.tell();
    expect(page.client.link).toMatchObject({ phase: "waiting", transport: "relay", detail: "no server" });
    page.kernel.trouble = null;
    page.tell(1);
    await vi.advanceTimersByTimeAsync(13_000);
    expect(page.client.link.phase).toBe("connected");
    expect(page.sequence).toEqual([1]);
  });

  test("takes a kernel that is silent for 38 s for gone, unless there is nothing more to say", async () => {
    page = new Page();
    await vi.advanceTimersByTimeAsync(37_000);
    expect(page.client.link.phase).toBe("connected");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(page.client.link).toMatchObject({ phase: "waiting", detail: "nothing heard from the kernel for 38 s" });
    // What it still holds is no sign of life.
    page.kernel.over = true;
    page.kernel.send();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(page.client.link.phase).toBe("connected");
  });
});
