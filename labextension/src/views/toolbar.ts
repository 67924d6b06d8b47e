/** The tools of the charts: how they are looked at. There while the charts have the pointer or the focus. */

import { type Look, MOST_SMOOTHING } from "../state/look";
import { trans } from "../words";
import { type Choice, choices } from "./choices";
import { attribute, element, say, show } from "./element";
import { mark } from "./marks";

export interface ToolsState {
  look: Look;
  /** Why not; null: possible. */
  noLog: string | null;
  noTime: string | null;
  noMore: string | null;
  /** Whether there are charts to be seen. */
  offered: boolean;
}

/** Pointers on their way from the charts to the tools cross what is neither. */
const LINGER_MS = 500;

export interface Wishes {
  choose(choice: Partial<Look>): void;
  /** `factor` < 1: nearer. */
  zoom(factor: number): void;
  /** Other ways to have the charts. */
  ways(): readonly Choice[];
}

export function mount(el: HTMLElement, charts: HTMLElement, signal: AbortSignal, { choose, zoom, ways }: Wishes): (next: ToolsState) => void {
  const bar = element("div", { class: "chart-tools spoken", role: "toolbar", "aria-label": trans.__("Tools of the charts"), "data-testid": "mlops-chart-tools" });
  let state: ToolsState | null = null;

  const slider = element("input", {
    ...{ type: "range", min: "0", max: String(MOST_SMOOTHING), step: "0.01", "data-testid": "mlops-smoothing" },
    "aria-label": trans.__("Smoothing"),
    title: trans.__("Smoothing: how much the values before count"),
  });
  const weight = element("span", { class: "weight", "aria-hidden": "true" });
  slider.addEventListener("input", () => choose({ smoothing: Number(slider.value) }));
  const log = tool(trans.__("log"), trans.__("log: a logarithmic y axis"), "mlops-log-axis", () => state?.noLog === null && choose({ log: !state.look.log }));
  const time = tool(trans.__("time"), trans.__("time: seconds since the job began, not steps, on the x axis"), "mlops-time-axis", () =>
    state?.noTime === null && choose({ xAxis: state.look.xAxis === "time" ? "step" : "time" }),
  );
  const fit = tool("1–99\u202f%", trans.__("Fit the y axis to 1–99 % of the values"), "mlops-fit", () => state && choose({ fit: !state.look.fit }));
  const less = tool("−", trans.__("− zoom out"), "mlops-zoom-out", () => state?.noMore === null && zoom(2));
  const more = tool("+", trans.__("+ zoom in around the crosshair"), "mlops-zoom-in", () => zoom(0.5));
  const other = tool("", trans.__("Other ways to have the charts"), "mlops-ways", () => {});
  other.append(mark("open"));
  const menu = choices(other, { label: trans.__("Other ways to have the charts"), testid: "mlops-ways-menu" }, ways, signal);
  bar.append(element("span", { class: "smoothing" }, slider, weight), log, time, fit, less, more, other, menu);
  el.prepend(bar);
  attend([charts, bar], (there) => bar.classList.toggle("spoken", !there), signal);

  return (next) => {
    state = next;
    const { look, noLog, noTime } = next;
    show(bar, next.offered);
    if (Number(slider.value) !== look.smoothing) slider.value = String(look.smoothing);
    say(weight, look.smoothing.toFixed(2));
    press(log, look.log, noLog);
    press(time, look.xAxis === "time", noTime);
    press(fit, look.fit, null);
    refuse(less, next.noMore);
  };
}

/** Its name holds its label: who speaks to the page says what is to be read. */
function tool(label: string, name: string, testid: string, pressed: () => void): HTMLButtonElement {
  const node = element("button", { class: "quiet", type: "button", "aria-label": name, title: name, "data-testid": testid }, label);
  node.addEventListener("click", pressed);
  return node;
}

function press(node: HTMLButtonElement, pressed: boolean, reason: string | null): void {
  attribute(node, "aria-pressed", String(pressed));
  refuse(node, reason);
}

/** What cannot be pressed stays in reach, since it says why. */
function refuse(node: HTMLButtonElement, reason: string | null): void {
  attribute(node, "aria-disabled", reason === null ? null : "true");
  attribute(node, "aria-description", reason);
  attribute(node, "title", [node.getAttribute("aria-label"), reason].filter(Boolean).join(". "));
}

/** Tells whether one of `areas` has the pointer or the focus. */
function attend(areas: readonly HTMLElement[], tell: (there: boolean) => void, signal: AbortSignal): void {
  let leaving: ReturnType<typeof setTimeout> | undefined;
  const busy = () => areas.some((area) => area.matches(":hover, :focus-within"));
  const look = () => {
    clearTimeout(leaving);
    if (busy()) tell(true);
    else leaving = setTimeout(() => tell(busy()), LINGER_MS);
  };
  for (const area of areas) {
    for (const moment of ["pointerenter", "pointerleave", "focusin", "focusout"]) area.addEventListener(moment, look, { signal });
  }
  signal.addEventListener("abort", () => clearTimeout(leaving));
}
