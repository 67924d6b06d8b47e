import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Client } from "../../src/client/client";
import { FakeTransport } from "../../src/client/fake";
import type { Event, Job } from "../../src/protocol";
import { type Given, live } from "../../src/widgets/live";
import { aJob, JOB_ID, points, progressed, TIME } from "../builders";

const BASE = { time: TIME, seq: null, priority: "low" } as const;
const SERVER = { baseUrl: new URL("http://localhost/"), token: "" };

/** A card of a page whose server answers with what stands in `known`. */
class Page {
  known: Job | null = aJob();
  head = 10;
  asked: string[] = [];
  transports: FakeTransport[] = [];
  leaving = new AbortController();
  el = document.createElement("div");
  client = new Client(SERVER, (kind) => {
    const transport = new FakeTransport(kind);
    this.transports.push(transport);
    return transport;
  });
  tell: (next: Given) => void;
  /** What the server knows besides. */
  others: Job[] = [];
  status = 200;
  deleted: Event[] = [];

  constructor(given: Partial<Given> = {}, withClient = true, known: Job | null = aJob()) {
    this.known = known;
    vi.stubGlobal("fetch", (url: URL, { method }: { method: string }) => this.#answer(url, method));
    document.body.replaceChildren(this.el);
    const all: Given = { jobId: JOB_ID, source: "saved", job: null, series: {}, asOf: null, ...given };
    this.tell = live(this.el, all, withClient ? this.client : null, this.leaving.signal);
  }

  async #answer(url: URL, method: string): Promise<Response> {
    this.asked.push(`${method} ${url.pathname.slice("/mlops/api/".length)}`);
    // A question takes its time: a test may still say what is answered to the first.
    await Promise.resolve();
    const body = url.pathname.endsWith("/metrics")
      ? { head: this.head, series: { loss: { count: 2, points: points("loss", [2, 1]) } } }
      : method === "POST"
        ? this.known
        : method === "DELETE"
          ? aDeletion()
          : { head: this.head, jobs: [this.known, ...this.others].filter((job) => job !== null), deleted: this.deleted };
    return new Response(JSON.stringify(body), { status: this.status });
  }

  greet(): FakeTransport {
    const socket = this.transports[0] as FakeTransport;
    socket.tell({ type: "hello", epoch: "s", head: this.head }, { type: "snapshot", ...BASE, head: this.head, jobs: [] });
    return socket;
  }

  press(testid: string): void {
    this.el.shadowRoot?.querySelector<HTMLElement>(`[data-testid="mlops-${testid}"]`)?.click();
  }

  /** What the card's menu offers; happy-dom has no popovers. */
  choices(): (string | null)[] {
    const menu = this.el.shadowRoot?.querySelector<HTMLElement>('[data-testid="mlops-menu"]');
    if (menu) Object.assign(menu, { showPopover() {}, hidePopover() {} });
    this.press("more");
    return [...(this.el.shadowRoot?.querySelectorAll("[role=menuitem]") ?? [])].map((one) => one.textContent);
  }

  choose(testid: string): void {
    this.choices();
    this.press(`menu-${testid}`);
  }

  text(testid: string): string | null {
    const found = this.el.shadowRoot?.querySelector<HTMLElement>(`[data-testid="mlops-${testid}"]`);
    return !found || found.closest("[hidden]") ? null : (found.textContent ?? "").replaceAll("\u202f", " ");
  }
}

function aDeletion(): Event {
  const of = { job_id: JOB_ID, name: "digits-mlp", status: "completed", attempt: 1, model_id: null };
  return { type: "job_deleted", ...BASE, seq: 11, ...of, by: "ada" };
}

function ended(job: Job): Event {
  const said = { ...BASE, seq: 11, job_id: JOB_ID, status: job.status, job };
  const { metrics, error } = job;
  return job.status === "completed"
    ? { type: "training_completed", ...said, metrics, final_accuracy: null, metric: null, final_score: null, model_id: null, elapsed_time: null }
    : { type: "training_failed", ...said, error, reason: "error", traceback: null, log_lines: [], stage: null };
}

/** Somebody runs the job again. */
function followIn(socket: FakeTransport, failed: Job, seq: number): void {
  const second = aJob({ job_id: "j-second000000", attempt: 2, rerun_of: JOB_ID });
  page.others = [second];
  page.known = { ...failed, followed_by: second.job_id };
  const event: Event = { type: "training_followed", ...BASE, seq, job_id: JOB_ID, followed_by: second.job_id, job: page.known };
  socket.tell({ type: "frame", prev: seq - 1, events: [event] });
}

/** What was asked has been answered: the answers here come at once, and take a turn or two of the loop. */
async function answered(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await vi.advanceTimersByTimeAsync(0);
}

let page: Page;

beforeEach(() => vi.useFakeTimers({ now: Date.parse(TIME), toFake: ["setTimeout", "setInterval", "Date"] }));

afterEach(() => {
  page.leaving.abort();
  vi.advanceTimersByTime(10_000);
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("a saved output", () => {
  test("shows its record at once, then what the server knows, then what happens and what it takes", async () => {
    page = new Page({ job: aJob({ progress: 20 }), asOf: TIME });
    expect([page.text("percent"), page.text("aside")]).toEqual(["20 %", expect.stringContaining("as of")]);
    const socket = page.greet();
    await vi.waitFor(() => expect(page.text("percent")).toBe("58 %"));
    socket.tell({ type: "frame", prev: 10, events: [progressed(11, { progress: 60 })] });
    await vi.waitFor(() => expect(page.text("percent")).toBe("60 %"));
    expect([page.text("state"), page.text("aside")]).toEqual(["Running", null]);
    const jobs = [{ id: JOB_ID, cpu_percent: 98, memory: 2 ** 30, peak: 2 ** 31, processes: 5 }];
    socket.tell({ type: "latest", events: [{ type: "system_metrics", ...BASE, jobs } as unknown as Event] });
    await vi.waitFor(() => expect(page.text("memory")).toBe("memory 1.0 GiB"));
  });

  test("of a job the server does not know stays what it is, and stops asking", async () => {
    page = new Page({ job: aJob({ progress: 20 }), asOf: TIME }, true, null);
    page.greet();
    await vi.waitFor(() => expect(page.asked).toHaveLength(1));
    await vi.waitFor(() => expect(page.text("state")).toBe("Last known state"));
    vi.advanceTimersByTime(60_000);
    expect([page.text("state"), page.text("percent"), page.asked.length, page.transports[0]?.closed]).toEqual([
      "Last known state",
      "20 %",
      1,
      true,
    ]);
  });

  test("of a job that was deleted says by whom and keeps its record, without an error", async () => {
    page = new Page({ job: aJob({ status: "completed" }) }, true, null);
    page.deleted = [aDeletion()];
    await answered();
    expect([page.text("state"), page.text("sentence"), page.text("name")]).toEqual([
      "Deleted",
      "Deleted by ada. What is shown here is all that is left of it.",
      "digits-mlp",
    ]);
    expect(page.transports).toEqual([]);
  });

  test("deletes its job when that was asked once more, and says so", async () => {
    page = new Page({ job: aJob({ status: "completed" }) }, true, aJob({ status: "completed" }));
    await answered();
    expect(page.text("delete")).toBeNull();
    page.choose("delete");
    expect([page.text("delete"), page.asked.filter((one) => one.startsWith("DELETE"))]).toEqual(["Delete for good?", []]);
    page.press("delete");
    await answered();
    expect(page.asked.at(-1)).toBe(`DELETE jobs/${JOB_ID}`);
    expect([page.text("state"), page.text("delete")]).toEqual(["Deleted", null]);
  });

  test("forgets the question after a while, and asks it of no job that is not over", async () => {
    page = new Page({ job: aJob({ status: "completed" }) }, true, aJob({ status: "completed" }));
    await answered();
    page.choose("delete");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(page.text("delete")).toBeNull();
    page.leaving.abort();
    page = new Page();
    await answered();
    expect(page.choices()).not.toContain("Delete…");
  });

  test("of a job that ended without a result hears that somebody else deleted it", async () => {
    const failed = aJob({ status: "failed" });
    page = new Page({ source: "server", job: failed }, true, failed);
    await answered();
    page.greet().tell({ type: "frame", prev: 10, events: [aDeletion()] });
    await answered();
    expect([page.text("state"), page.text("rerun")]).toEqual(["Deleted", null]);
  });

  test("of a job that is over opens no socket", async () => {
    page = new Page({ job: aJob({ status: "completed" }) }, true, aJob({ status: "completed", final_score: 0.974 }));
    await vi.waitFor(() => expect(page.text("final")).toBe("test accuracy 0.9740"));
    expect(page.transports).toEqual([]);
  });

  test("of a job that is over asks a server that is away less and less often, and not one that forbids it", async () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    const over = aJob({ status: "completed", final_score: 0.974 });
    page = new Page({ job: over, asOf: TIME }, true, over);
    page.status = 503;
    for (const [before, ms] of [1_500, 4_500, 12_000, 12_000].entries()) {
      await answered();
      await vi.advanceTimersByTimeAsync(ms - 1);
      expect(page.asked).toHaveLength(before + 1);
      page.status = before === 3 ? 403 : 503;
      await vi.advanceTimersByTimeAsync(1);
      expect(page.asked).toHaveLength(before + 2);
    }
    await answered();
    await vi.advanceTimersByTimeAsync(600_000);
    expect([page.asked.length, page.text("state")]).toEqual([5, "Finished"]);
  });

  test("without a page server is a picture of its time", () => {
    page = new Page({ job: aJob({ status: "completed" }) }, false);
    expect([page.text("state"), page.asked]).toEqual(["Finished", []]);
  });
});

describe("a widget", () => {
  test("without the page's server follows its traits", async () => {
    page = new Page({ source: "kernel", job: aJob({ progress: 20 }) }, false);
    page.tell({ jobId: JOB_ID, source: "kernel", job: aJob({ progress: 30 }), series: {}, asOf: null });
    await vi.waitFor(() => expect(page.text("percent")).toBe("30 %"));
    expect([page.text("connection"), page.text("stop")]).toEqual([null, null]);
  });

  test("leaves the connection when its job is over", async () => {
    page = new Page({ source: "server", job: aJob() });
    const socket = page.greet();
    await vi.waitFor(() => expect(page.asked).toHaveLength(2));
    await vi.waitFor(() => expect(page.text("stop")).toBe("Stop"));
    socket.tell({ type: "frame", prev: 10, events: [ended(aJob({ status: "completed" }))] });
    vi.advanceTimersByTime(6_000);
    expect(socket.closed).toBe(true);
  });

  test("whose job ended without a result hears of the next attempt and leads on to it", async () => {
    page = new Page({ source: "server", job: aJob() });
    const socket = page.greet();
    await vi.waitFor(() => expect(page.asked).toHaveLength(2));
    await vi.waitFor(() => expect(page.text("stop")).toBe("Stop"));
    const failed = aJob({ status: "failed", error: "boom" });
    socket.tell({ type: "frame", prev: 10, events: [ended(failed)] });
    await vi.waitFor(() => expect(page.text("rerun")).toBe("Retry"));
    followIn(socket, failed, 12);
    await vi.waitFor(() => expect([page.text("id"), page.text("state")]).toEqual(["j-seco", "Running"]));
  });

  test("of a failed job that is opened again listens for the next attempt, too", async () => {
    const failed = aJob({ status: "failed", error: "boom" });
    page = new Page({ job: failed }, true, failed);
    await vi.waitFor(() => expect(page.transports).toHaveLength(1));
    followIn(page.greet(), failed, 11);
    await vi.waitFor(() => expect(page.text("id")).toBe("j-seco"));
  });

  test("stops a job by asking the server, and shows its answer", async () => {
    page = new Page({ source: "server", job: aJob() });
    page.greet();
    await vi.waitFor(() => expect(page.asked).toHaveLength(2));
    await vi.waitFor(() => expect(page.text("stop")).toBe("Stop"));
    page.known = aJob({ status: "stopping" });
    page.el.shadowRoot?.querySelector<HTMLElement>('[data-testid="mlops-stop"]')?.click();
    await vi.waitFor(() => expect(page.text("state")).toBe("Stopping"));
    expect(page.asked.at(-1)).toBe(`POST jobs/${JOB_ID}/stop`);
  });

  test("shows the next attempt when a job is run again, and keeps to it", async () => {
    const failed = aJob({ status: "failed", error: "boom" });
    page = new Page({ source: "server", job: failed }, true, failed);
    await vi.waitFor(() => expect(page.text("rerun")).toBe("Retry"));
    page.known = aJob({ job_id: "j-second000000", status: "queued", ahead: 1, attempt: 2, rerun_of: JOB_ID });
    page.el.shadowRoot?.querySelector<HTMLElement>('[data-testid="mlops-rerun"]')?.click();
    await vi.waitFor(() => expect([page.text("id"), page.text("state")]).toEqual(["j-seco", "Queued, 1 ahead"]));
    page.tell({ jobId: JOB_ID, source: "server", job: failed, series: {}, asOf: null });
    expect(page.text("id")).toBe("j-seco");
  });

  test("leads on to the attempt a job was followed by", async () => {
    const second = aJob({ job_id: "j-second000000", attempt: 2, rerun_of: JOB_ID });
    const first = aJob({ status: "cancelled", followed_by: second.job_id });
    page = new Page({ job: first }, true, first);
    page.others = [second];
    await vi.waitFor(() => expect([page.text("id"), page.text("state")]).toEqual(["j-seco", "Running"]));
  });

  test("keeps what a job was asked for as a pipeline, and says what became of it", async () => {
    const done = aJob({ status: "completed", name: "digits" });
    page = new Page({ source: "server", job: done }, true, done);
    const press = (testid: string) => page.el.shadowRoot?.querySelector<HTMLElement>(`[data-testid="mlops-${testid}"]`)?.click();
    Object.assign(page.el.shadowRoot?.querySelector("[data-testid=mlops-menu]") as object, { showPopover() {}, hidePopover() {} });
    const keep = () => ["more", "menu-keep", "named"].forEach(press);
    keep();
    await vi.waitFor(() => expect(page.text("sentence")).toBe("Kept as pipeline digits."));
    expect(page.asked).toContain("POST pipelines");
    page.status = 400;
    keep();
    await vi.waitFor(() => expect(page.text("sentence")).toMatch(/^Not kept: /));
  });

  test("pauses and resumes a job by asking the server", async () => {
    page = new Page({ source: "server", job: aJob() });
    page.greet();
    await vi.waitFor(() => expect(page.text("pause")).toBe("Pause"));
    page.known = aJob({ status: "paused" });
    page.el.shadowRoot?.querySelector<HTMLElement>('[data-testid="mlops-pause"]')?.click();
    await vi.waitFor(() => expect(page.text("state")).toBe("Paused"));
    expect(page.asked.at(-1)).toBe(`POST jobs/${JOB_ID}/pause`);
    page.known = aJob();
    page.el.shadowRoot?.querySelector<HTMLElement>('[data-testid="mlops-pause"]')?.click();
    await vi.waitFor(() => expect(page.text("state")).toBe("Running"));
    expect(page.asked.at(-1)).toBe(`POST jobs/${JOB_ID}/resume`);
  });

  test("keeps to what a socket told while the answer to its order was on its way", async () => {
    page = new Page({ source: "server", job: aJob() });
    const socket = page.greet();
    await vi.waitFor(() => expect(page.text("pause")).toBe("Pause"));
    await answered();
    page.el.shadowRoot?.querySelector<HTMLElement>('[data-testid="mlops-pause"]')?.click();
    const paused: Event = { type: "training_paused", ...BASE, seq: 11, job_id: JOB_ID, by: "ada", job: aJob({ status: "paused" }) };
    socket.tell({ type: "frame", prev: 10, events: [paused] });
    await vi.waitFor(() => expect(page.asked.at(-1)).toBe(`POST jobs/${JOB_ID}/pause`));
    await answered();
    expect([page.text("state"), page.text("pause")]).toEqual(["Paused", "Resume"]);
  });

  test("that may not ask for its job does so no more while the socket speaks on", async () => {
    page = new Page({ source: "server", job: aJob() });
    page.status = 403;
    const socket = page.greet();
    await vi.waitFor(() => expect(page.asked).toHaveLength(1));
    for (let nonce = 1; nonce <= 5; nonce += 1) {
      await answered();
      socket.tell({ type: "ping", ...BASE, nonce, rtt: 0.01 });
      vi.advanceTimersByTime(15_000);
    }
    expect(page.asked).toHaveLength(1);
  });

  test("that might not ask for its job does so once more when its user has signed in again", async () => {
    page = new Page({ source: "server", job: aJob() });
    page.status = 403;
    const socket = page.greet();
    await vi.waitFor(() => expect(page.asked).toHaveLength(1));
    await answered();
    socket.end("forbidden", "Signed out");
    page.status = 200;
    page.client.reconnect();
    page.transports.at(-1)?.tell({ type: "hello", epoch: "s", head: page.head });
    await vi.waitFor(() => expect(page.asked).toHaveLength(3));
  });

  test("asks again for what was merged away", async () => {
    page = new Page({ source: "server", job: aJob() });
    const socket = page.greet();
    await vi.waitFor(() => expect(page.asked).toHaveLength(2));
    socket.tell({ type: "frame", prev: 10, events: [progressed(15)] });
    page.head = 15;
    await vi.waitFor(() => {
      vi.advanceTimersByTime(2_000);
      expect(page.asked).toHaveLength(4);
    });
  });
});
