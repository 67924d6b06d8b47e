import { expect, test } from "vitest";
import type { ActivityUpdate } from "../../src/protocol";
import { type Board, freshBoard } from "../../src/state/board";
import { mount } from "../../src/views/feed";

const TIME = "2026-11-21T14:02:00.000Z";

function rows(...titles: string[]): Board {
  const feed = titles.map((title, i) => {
    const seq = titles.length - i;
    return { seq, activity: { id: `a-${seq}`, kind: "job", subject: "j-1", title, description: "!", status: "info", timestamp: TIME } } as ActivityUpdate;
  });
  return { ...freshBoard(0), feed };
}

function shown() {
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  const update = mount(el, rows("Queued"), () => {});
  const list = el.querySelector(".feed") as HTMLElement;
  const told = () => [...list.querySelectorAll("li")].map((row) => [row.querySelector(".title-of")?.textContent, row.querySelector(".times")?.textContent]);
  const news = () => {
    const link = el.querySelector<HTMLElement>(".link");
    return link?.hidden ? null : link?.textContent;
  };
  return { el, list, update, told, news };
}

test("what comes again and again is one row that says how often, also to who hears it", () => {
  const { list, update, told } = shown();
  update(rows("Failed", "Retried", "Retried", "Retried", "Retried", "Queued"));
  expect(told()).toEqual([["Failed", undefined], ["Retried", "×4 "], ["Queued", undefined]]);
  expect(list.querySelector(".times")?.getAttribute("aria-label")).toMatch(/^4 times since /);
});

test("rows stay where they are under the pointer, and what is new is counted above", () => {
  const { list, update, told, news } = shown();
  list.dispatchEvent(new Event("pointerenter"));
  update(rows("Queued", "Queued", "Queued", "Queued"));
  expect([told(), news()]).toEqual([[["Queued", undefined]], "3 new ↑"]);
  list.dispatchEvent(new Event("pointerleave"));
  expect([told(), news()]).toEqual([[["Queued", "×4 "]], null]);
});

test("rows stay while somebody is further down, and come when they are asked for or back at the top", () => {
  const { el, list, update, told, news } = shown();
  list.scrollTop = 40;
  update(rows("Started", "Queued"));
  expect([told(), news()]).toEqual([[["Queued", undefined]], "1 new ↑"]);
  el.querySelector<HTMLElement>(".link")?.click();
  expect([told(), news(), list.scrollTop]).toEqual([[["Started", undefined], ["Queued", undefined]], null, 0]);
  list.scrollTop = 40;
  update(rows("Finished", "Started", "Queued"));
  list.scrollTop = 0;
  list.dispatchEvent(new Event("scroll"));
  expect(told()).toHaveLength(3);
});

test("a row says how long ago it was, which moves by itself, and keeps the time of day for who hears it", () => {
  const { el, list, update } = shown();
  const at = Date.parse(TIME);
  const board = { ...rows("Queued"), now: at + 4_000 };
  const skewed = (now: number) => ({ ...board, now, connection: { ...board.connection, link: { ...board.connection.link, skew: -2_000 } } });
  update(board);
  const row = list.querySelector("time") as HTMLElement;
  const age = () => row.firstElementChild?.textContent?.replace("\u202f", " ");
  const heard = row.lastElementChild?.textContent;
  expect([age(), row.title, row.firstElementChild?.getAttribute("aria-hidden")]).toEqual(["just now", new Date(TIME).toLocaleString(), "true"]);
  // Under the pointer rows stay, not the time.
  list.dispatchEvent(new Event("pointerenter"));
  update({ ...board, now: at + 190_000 });
  expect(age()).toBe("3 min ago");
  // Of a server whose clock is behind this one.
  update(skewed(at + 32_000));
  expect(age()).toBe("30 s ago");
  expect([row.lastElementChild?.textContent, el.querySelector("time")]).toEqual([heard, row]);
  expect(heard).toMatch(/\d\d:\d\d/);
});
