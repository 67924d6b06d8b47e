import type { AnyModel } from "@anywidget/types";
import { afterEach, expect, test, vi } from "vitest";
import widget from "../../src/widgets/board";
import { Kernel } from "../client/kernel";

afterEach(() => vi.useRealTimers());

/** Of a kernel's feed, in the place of what was saved for it. */
function shown(name: string) {
  const kernel = new Kernel();
  const traits: Record<string, unknown> = { part: "activity", place: name };
  const model = { ...kernel.model, get: (trait: string) => traits[trait] ?? kernel.model.get(trait as never) };
  const leaving = new AbortController();
  widget.initialize({ model: model as unknown as AnyModel<never>, signal: leaving.signal });
  return leaving;
}

function saved(name: string): HTMLElement {
  const place = document.createElement("div");
  place.className = name;
  place.append(document.createElement("table"));
  return place;
}

/** Of each element: whether its table is to be seen, and how many feeds are there. */
function seen(...places: HTMLElement[]): [boolean, number][] {
  return places.map((place) => [!place.querySelector("table")?.hidden, [...place.children].filter((one) => one.shadowRoot).length]);
}

test("a board takes the place of its own tables while they are in the page, and gives it back", async () => {
  const [first, later, other] = [saved("mlops-1"), saved("mlops-1"), saved("mlops-2")];
  document.body.replaceChildren(first, other);
  const leaving = shown("mlops-1");
  document.body.append(later);
  await vi.waitFor(() => expect(seen(first, later, other)).toEqual([[false, 1], [false, 1], [true, 0]]));
  first.remove();
  await vi.waitFor(() => expect(seen(first, later)).toEqual([[true, 0], [false, 1]]));
  // As a notebook does with cells that are out of sight.
  document.body.append(first);
  await vi.waitFor(() => expect(seen(first)).toEqual([[false, 1]]));
  leaving.abort();
  expect(seen(first, later)).toEqual([[true, 0], [true, 0]]);
});

test("where it is shown as a view it looks for nothing", () => {
  document.body.replaceChildren(saved("mlops-1"));
  shown("");
  expect(seen(document.body.firstElementChild as HTMLElement)).toEqual([[true, 0]]);
});
