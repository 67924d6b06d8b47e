/** A line that says what became of something, until something else is said or its time is over. */

import { element } from "./element";

/** Nothing said takes it away. */
export type Tell = (said: string | readonly (Node | string)[], ms?: number) => void;

export function mount(el: HTMLElement, signal: AbortSignal, testid: string): Tell {
  const line = element("p", { class: "note", role: "status", "data-testid": `mlops-${testid}` });
  el.append(line);
  let over: ReturnType<typeof setTimeout> | undefined;
  signal.addEventListener("abort", () => clearTimeout(over));
  return (said, ms) => {
    clearTimeout(over);
    line.replaceChildren(...(typeof said === "string" ? [said] : said));
    if (ms !== undefined) over = setTimeout(() => line.replaceChildren(), ms);
  };
}

export function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
