/** Dragging over a plot: a part of its x axis, or with Shift of its y axis. */

import type uPlot from "uplot";
import type { Range } from "../state/curves";
import { element, show } from "./element";

/** Less is a click with an unsteady hand. */
const LEAST_PX = 5;

export function brush(plot: uPlot, dragged: (axis: "x" | "y", part: Range) => void): void {
  const { over } = plot;
  const band = element("div", { class: "band", hidden: true });
  over.append(band);
  let from: { left: number; top: number; axis: "x" | "y" } | null = null;

  const at = (event: PointerEvent) => {
    const box = over.getBoundingClientRect();
    return {
      left: Math.min(Math.max(event.clientX - box.left, 0), box.width),
      top: Math.min(Math.max(event.clientY - box.top, 0), box.height),
    };
  };
  const part = (event: PointerEvent): { axis: "x" | "y"; low: number; high: number } | null => {
    if (!from) return null;
    const to = at(event);
    const [one, other] = from.axis === "x" ? [from.left, to.left] : [from.top, to.top];
    return Math.abs(one - other) < LEAST_PX ? null : { axis: from.axis, low: Math.min(one, other), high: Math.max(one, other) };
  };

  over.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    from = { ...at(event), axis: event.shiftKey ? "y" : "x" };
    over.setPointerCapture(event.pointerId);
  });
  over.addEventListener("pointermove", (event) => {
    const found = part(event);
    show(band, found !== null);
    if (!found) return;
    const [low, size] = [`${found.low}px`, `${found.high - found.low}px`];
    Object.assign(band.style, found.axis === "x" ? { left: low, width: size, top: "0", height: "100%" } : { top: low, height: size, left: "0", width: "100%" });
  });
  over.addEventListener("pointerup", (event) => {
    const found = part(event);
    from = null;
    show(band, false);
    if (!found) return;
    const [one, other] = [plot.posToVal(found.low, found.axis), plot.posToVal(found.high, found.axis)];
    dragged(found.axis, [Math.min(one, other), Math.max(one, other)]);
  });
  over.addEventListener("pointercancel", () => {
    from = null;
    show(band, false);
  });
}
