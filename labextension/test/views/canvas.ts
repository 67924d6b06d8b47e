/** What a browser has and this one lacks: elements of a width, and canvases, which keep what is written on them. */

import { vi } from "vitest";

const WIDTH = 700;

/** All texts that are drawn from now on; `vi.unstubAllGlobals` ends it. */
export function written(): string[] {
  const texts: string[] = [];
  const nothing = () => {};
  const context = new Proxy<Record<string, unknown>>(
    { fillText: (text: string) => texts.push(text), measureText: () => ({ width: 9 }) },
    { get: (has, name: string) => has[name] ?? nothing },
  );
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(context as never);
  // What is paced is painted at once.
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => {
    now += 1_000;
    return now;
  });
  vi.stubGlobal(
    "Path2D",
    class {
      moveTo = nothing;
      lineTo = nothing;
      rect = nothing;
      arc = nothing;
      closePath = nothing;
      addPath = nothing;
    },
  );
  vi.stubGlobal(
    "ResizeObserver",
    class {
      readonly #call: (entries: unknown[]) => void;
      constructor(call: (entries: unknown[]) => void) {
        this.#call = call;
      }
      observe() {
        queueMicrotask(() => this.#call([{ contentRect: { width: WIDTH } }]));
      }
      disconnect() {}
    },
  );
  return texts;
}
