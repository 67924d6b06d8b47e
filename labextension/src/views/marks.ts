/** Small drawings that tell states apart by shape; their colour is that of the text around them. */

import type { Condition } from "../state/connection";
import type { Mark } from "../state/face";

type Drawn = Mark | Condition | "warning" | "more" | "open" | "settings" | "table";

const SVG = "http://www.w3.org/2000/svg";
const RING = "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11z";

/** Path, and whether it is filled or drawn as a line (`dashed`: broken). */
const SHAPES: Record<Drawn, readonly [path: string, how: "fill" | "line" | "dashed"][]> = {
  running: [["M8 3a5 5 0 1 1 0 10A5 5 0 0 1 8 3z", "fill"]],
  starting: [[RING, "line"], ["M8 4.5a3.5 3.5 0 0 1 0 7z", "fill"]],
  queued: [[RING, "line"], ["M8 5v3.2l2.2 1.3", "line"]],
  paused: [["M4.5 3h2.5v10H4.5zM9 3h2.5v10H9z", "fill"]],
  stopping: [["M3.5 3.5h9v9h-9z", "line"]],
  done: [["M2.8 8.6l3.4 3.4 7-7.6", "line"]],
  failed: [["M3.8 3.8l8.4 8.4M12.2 3.8l-8.4 8.4", "line"]],
  cancelled: [["M3.5 3.5h9v9h-9z", "fill"]],
  lost: [[RING, "dashed"], ["M8 5v3.6M8 10.8v.4", "line"]],
  known: [[RING, "dashed"]],
  pending: [["M8 3.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9z", "line"]],
  skipped: [["M3.5 4.5L7 8l-3.5 3.5M8.5 4.5L12 8l-3.5 3.5", "line"]],
  connecting: [[RING, "dashed"]],
  live: [["M8 3.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9z", "fill"]],
  slow: [[RING, "line"], ["M8 5.8a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4z", "fill"]],
  "catching-up": [[RING, "line"], ["M8 8V2.5A5.5 5.5 0 0 1 13.5 8z", "fill"]],
  polling: [[RING, "line"], ["M8 2.5a5.5 5.5 0 0 0 0 11z", "fill"]],
  relay: [["M1.5 8h13", "line"], ["M8 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8z", "fill"]],
  reconnecting: [[RING, "line"]],
  offline: [["M3.5 3.5h9v9h-9z", "fill"]],
  forbidden: [[RING, "line"], ["M4.2 4.2l7.6 7.6", "line"]],
  warning: [["M8 2.2L14.4 13.4H1.6z", "line"], ["M8 6.4v3.2M8 11.2v.6", "line"]],
  more: [["M3 6.8h2.4v2.4H3zM6.8 6.8h2.4v2.4H6.8zM10.6 6.8H13v2.4h-2.4z", "fill"]],
  settings: [["M2 4.5h5M11 4.5h3M2 11.5h3M9 11.5h5", "line"], ["M9 2.7a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6zM7 9.7a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6z", "line"]],
  table: [["M2.5 3h11v10h-11zM2.5 6.4h11M6.2 6.4V13", "line"]],
  open: [["M4.5 6.2L8 9.7l3.5-3.5", "line"]],
};

export function mark(drawn: Drawn): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  draw(svg, drawn);
  return svg;
}

/** Changes what an existing mark shows. */
export function draw(svg: SVGSVGElement, drawn: Drawn): void {
  if (svg.dataset["mark"] === drawn) return;
  svg.dataset["mark"] = drawn;
  svg.setAttribute("class", `mark mark-${drawn}`);
  svg.replaceChildren(
    ...SHAPES[drawn].map(([path, how]) => {
      const shape = document.createElementNS(SVG, "path");
      shape.setAttribute("d", path);
      shape.setAttribute("class", how);
      return shape;
    }),
  );
}
