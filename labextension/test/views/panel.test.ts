import { describe, expect, test, vi } from "vitest";
import type { Job } from "../../src/protocol";
import { type BoardHappening, freshBoard, reduceBoard } from "../../src/state/board";
import type { Pipelines } from "../../src/state/pipelines";
import { mount, type PanelActs } from "../../src/views/panel";
import { aJob, JOB_ID, progressed } from "../builders";
import { LIVE } from "./page";

/** What stands in the sections of jobs after all this happened. */
function told(...happenings: BoardHappening[]): (string | null | undefined)[] {
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  const acts = { act: () => {}, order: () => {}, open: () => {}, folded: () => [], fold: () => {} };
  const update = mount(el, freshBoard(0), new AbortController().signal, acts);
  update(happenings.reduce(reduceBoard, freshBoard(0)));
  const sections = [...(el.shadowRoot?.querySelectorAll("details") ?? [])].slice(0, 2);
  return sections.flatMap((section) => [...section.children].map((part) => part.querySelector(".note, .name")?.textContent ?? part.textContent));
}

const connected: BoardHappening = { at: 0, kind: "link", link: LIVE };

/** A panel of these jobs, what was asked of it, and what takes further happenings. */
function panel(jobs: Job[], more: Partial<PanelActs> = {}) {
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  const asked: unknown[] = [];
  const order: PanelActs["order"] = (id, action) => asked.push([id, action.do]);
  const acts = { act: () => {}, order, open: () => {}, folded: () => [], fold: () => {}, ...more };
  const update = mount(el, freshBoard(0), new AbortController().signal, acts);
  let board = [connected, { at: 0, kind: "snapshot", jobs } as const].reduce(reduceBoard, freshBoard(0));
  const root = el.shadowRoot as ShadowRoot;
  const happen = (...all: BoardHappening[]) => {
    board = all.reduce(reduceBoard, board);
    update(board);
  };
  happen();
  const find = (testid: string) => root.querySelector<HTMLElement>(`[data-testid="mlops-${testid}"]:not([hidden])`);
  return { asked, happen, find, root };
}

describe("a row", () => {
  test("stops a job in two steps once it has run for a while, and suspends it in one", () => {
    const { asked, find } = panel([aJob({ elapsed_time: 60, start_time: null })]);
    find("pause")?.click();
    find("stop")?.click();
    expect(find("stop")?.textContent).toBe("Stop at 58\u202f%?");
    expect(asked).toEqual([[JOB_ID, "pause"]]);
    find("stop")?.click();
    expect(asked).toEqual([[JOB_ID, "pause"], [JOB_ID, "stop"]]);
  });

  test("offers nothing for a job that is over, and nothing while the server is away", () => {
    const over = panel([aJob({ status: "completed" })]);
    expect([over.find("stop"), over.find("pause")]).toEqual([null, null]);
    const away = panel([aJob()]);
    away.happen({ at: 0, kind: "link", link: { ...LIVE, phase: "forbidden" } });
    expect([away.find("stop"), away.find("pause")]).toEqual([null, null]);
  });

  test("keeps the focus while its numbers move", () => {
    const { happen, find, root } = panel([aJob()]);
    const row = find("row");
    row?.focus();
    happen({ at: 1, kind: "events", events: [progressed(1, { progress: 71 })] });
    expect(row?.textContent).toContain("71");
    expect(root.activeElement).toBe(row);
  });

  test("has its sections in one order, what is kept between jobs and activity", () => {
    const { root } = panel([], { pipelines: { door: {} as Pipelines, changed: () => {} }, upload: { send: () => {}, drop: () => {} } });
    const sections = [...root.querySelectorAll("details > .rows-of")].map((one) => (one as HTMLElement).dataset["testid"]?.slice("mlops-".length));
    expect(sections).toEqual(["running", "jobs", "datasets", "pipelines", "models", "activity", "system"]);
  });

  test("has a menu by the right button and by the key, where its host has one", () => {
    const places: unknown[] = [];
    const { find } = panel([aJob()], { menu: (id, at) => places.push([id, at]) });
    const clicked = new MouseEvent("contextmenu", { bubbles: true, cancelable: true, clientX: 7, clientY: 9 });
    find("row")?.dispatchEvent(clicked);
    find("row")?.dispatchEvent(new MouseEvent("contextmenu", { bubbles: true, cancelable: true }));
    expect(places).toEqual([[JOB_ID, { x: 7, y: 9 }], [JOB_ID, { x: 20, y: 0 }]]);
    expect(clicked.defaultPrevented).toBe(true);
  });
});

describe("the line that trains", () => {
  test("goes where it can be run", async () => {
    const put: string[] = [];
    const { find } = panel([], { insert: async (lines) => put.push(lines) > 0 });
    find("train")?.click();
    await Promise.resolve();
    expect(put).toEqual(['import mlops_jupyter as mlops\n\njob = mlops.train(df, target="…")']);
  });

  test("is copied where there is no such place", async () => {
    const { find } = panel([], { insert: async () => false });
    find("train")?.click();
    await vi.waitFor(() => expect(find("train")?.textContent).toBe("Copied"));
  });
});

test("what the server would not do is said", () => {
  const { happen, find } = panel([aJob()]);
  expect(find("notice")).toBeNull();
  happen({ at: 0, kind: "noticed", text: "Not stopped: no" });
  expect(find("notice")?.textContent).toBe("Not stopped: no");
});

describe("a panel", () => {
  test("knows of no jobs only once the server has said so", () => {
    const unknown = "Not known: the server has not answered yet.";
    expect(told(connected)).toEqual(["Running", unknown, "Jobs", unknown]);
    const none = told(connected, { at: 0, kind: "snapshot", jobs: [] });
    expect(none.slice(0, 3)).toEqual(["Running", "Nothing runs.", "Jobs"]);
    expect(none[3]).toMatch(/^No jobs yet/);
    expect(told(connected, { at: 0, kind: "snapshot", jobs: [aJob()] }, { at: 0, kind: "reset" })[1]).toBe(unknown);
  });

  test("does not say that a job runs while its server is away", () => {
    const away = { ...LIVE, phase: "waiting", transport: null, downSince: 0 } as const;
    const job = aJob();
    const seen: BoardHappening[] = [connected, { at: 0, kind: "snapshot", jobs: [job] }, { at: 0, kind: "link", link: away }];
    expect(told(...seen, { at: 5_000, kind: "tick" }).slice(0, 2)).toEqual(["Running when last heard of (1)", job.name]);
  });
});
