import { expect, test, vi } from "vitest";
import { inFront } from "../../src/lab/front";

const at = (path: string) => new URL(path, "http://here");

test("the page that was looked at last interrupts, whatever is looked at of another server of the same origin", () => {
  const [ours, later] = [inFront(at("/user/ann/")), inFront(at("/user/ann/"))];
  const theirs = inFront(at("/user/ann/second/"));
  expect([ours(), later(), theirs()]).toEqual([false, true, true]);
});

test("when the page that was looked at last is gone, one of the others takes its place", () => {
  vi.useFakeTimers();
  const pages = [inFront(at("/gone/")), inFront(at("/gone/")), inFront(at("/gone/"))];
  const key = Object.keys(localStorage).find((name) => name.endsWith(" /gone/")) as string;
  localStorage.removeItem(key);
  window.dispatchEvent(new StorageEvent("storage", { key, newValue: null }));
  vi.runAllTimers();
  vi.useRealTimers();
  expect(pages.filter((interrupts) => interrupts())).toHaveLength(1);
});
