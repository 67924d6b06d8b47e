import { describe, expect, test } from "vitest";
import { type BoardHappening, freshBoard, reduceBoard } from "../../src/state/board";
import { mount } from "../../src/views/panel";
import { aJob } from "../builders";
import { LIVE } from "./page";

/** What stands in the sections of jobs after all this happened. */
function told(...happenings: BoardHappening[]): (string | null | undefined)[] {
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  const acts = { act: () => {}, open: () => {}, folded: () => [], fold: () => {} };
  const update = mount(el, freshBoard(0), new AbortController().signal, acts);
  update(happenings.reduce(reduceBoard, freshBoard(0)));
  const sections = [...(el.shadowRoot?.querySelectorAll("details") ?? [])].slice(0, 2);
  return sections.flatMap((section) => [...section.children].map((part) => part.querySelector(".note, .name")?.textContent ?? part.textContent));
}

const connected: BoardHappening = { at: 0, kind: "link", link: LIVE };

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
