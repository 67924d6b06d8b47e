import { afterEach, expect, test } from "vitest";
import { fileName } from "../../src/views/picture";
import { metricPoints, points } from "../builders";
import { Shown } from "./page";

afterEach(() => Reflect.deleteProperty(document, "fullscreenEnabled"));

function may(enabled: boolean): void {
  Object.defineProperty(document, "fullscreenEnabled", { value: enabled, configurable: true });
}

function opened(): { shown: Shown; entries: () => (string | null)[][] } {
  const shown = new Shown({}).happen({ kind: "events", at: 0, events: [metricPoints(9, ...points("val_loss", [2, 1]))] });
  const panel = shown.find("ways-menu");
  Object.assign(panel, { showPopover() {}, hidePopover() {} });
  const entries = () => {
    shown.click("ways");
    return [...panel.querySelectorAll("button")].map((entry) => [entry.textContent, entry.getAttribute("aria-description")]);
  };
  return { shown, entries };
}

test("there is no full screen where the page may not fill it", () => {
  may(false);
  expect(opened().entries()).toEqual([["Data table", null], ["Save as picture (PNG)", null]]);
});

test("full screen that the browser refuses says so from then on", async () => {
  may(true);
  const { shown, entries } = opened();
  shown.find("card").requestFullscreen = () => Promise.reject(new TypeError("Permissions check failed"));
  expect(entries().at(-1)).toEqual(["Full screen", null]);
  shown.click("menu-full");
  await Promise.resolve();
  await Promise.resolve();
  expect(entries().at(-1)).toEqual(["Full screen", "The browser refused: Permissions check failed"]);
});

test.each([
  ["digits-mlp", "digits-mlp-j-7f3a.png"],
  ["../../etc/passwd", "etc-passwd-j-7f3a.png"],
  ["<img src=x onerror=alert(1)>", "img-src-x-onerror-alert-1-j-7f3a.png"],
  ["Übung 2: naïve\n", "Übung-2-naïve-j-7f3a.png"],
  ["", "j-7f3a.png"],
  ["ж".repeat(300), `${"ж".repeat(60)}-j-7f3a.png`],
])("the picture of %j is called %s", (job, file) => {
  expect(fileName(job, "j-7f3a")).toBe(file);
});
