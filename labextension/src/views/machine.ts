/** The machine: its health as shape and word, and a gauge each for CPU, memory and disk with the last minutes. */

import type { Board } from "../state/board";
import { type Gauge, type Level, machine } from "../state/machine";
import { trans } from "../words";
import { attribute, element, fill, say, show } from "./element";
import { draw, mark } from "./marks";

const SVG = "http://www.w3.org/2000/svg";
/** Of a spark line, in its own units: a sample each. */
const SAMPLES = 60;

export function mount(el: HTMLElement, board: Board): (next: Board) => void {
  const shape = mark("live");
  const word = element("span", { "data-testid": "mlops-health" });
  const health = element("p", { class: "health", role: "status" }, shape, word);
  const gauges = element("dl", { class: "gauges" });
  const more = element("p", { class: "note", "data-testid": "mlops-machine-more" });
  const nothing = element("p", { class: "note" }, trans.__("No sample of the machine yet."));
  el.append(health, gauges, more, nothing);

  const update = (next: Board) => {
    const known = machine(next);
    for (const part of [health, gauges, more]) show(part, known !== null);
    show(nothing, known === null);
    if (!known) return;
    draw(shape, known.health === "healthy" ? "live" : known.health === "warning" ? "warning" : "failed");
    attribute(health, "data-level", known.health);
    say(word, called(known.health));
    say(more, known.more.join(" · "));
    fill(gauges, JSON.stringify(known.gauges), () => known.gauges.flatMap(told));
  };
  update(board);
  return update;
}

function called(level: Level): string {
  return { healthy: trans.__("Healthy"), warning: trans.__("Warning"), critical: trans.__("Critical") }[level];
}

function told(gauge: Gauge): HTMLElement[] {
  const whose = gauge.whose ? ` · ${gauge.whose}` : "";
  const level = gauge.level === "healthy" ? null : element("b", { class: "level" }, ` ${called(gauge.level).toLowerCase()}`);
  return [
    element("dt", {}, gauge.name),
    element(
      "dd",
      { "data-testid": `mlops-gauge-${gauge.key}`, "data-level": gauge.level },
      element("b", { class: "percent" }, gauge.percent),
      spark(gauge),
      element("span", { class: "note" }, `${gauge.figures}${whose}`, level),
    ),
  ];
}

function described(name: string, [warning, critical]: readonly number[]): string {
  if (warning === undefined || critical === undefined) return trans.__("%1, the last five minutes", name);
  return trans.__("%1, the last five minutes; a warning from %2 percent, critical from %3", name, String(warning), String(critical));
}

function spark({ name, line, ticks }: Gauge): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${SAMPLES} 100`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "spark");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", described(name, ticks));
  const path = document.createElementNS(SVG, "path");
  const shown = line.slice(-SAMPLES);
  const start = SAMPLES - shown.length;
  let pen = "M";
  let drawn = "";
  for (const [i, value] of shown.entries()) {
    if (value === null) {
      // A gap is a gap.
      pen = "M";
      continue;
    }
    drawn += `${pen}${start + i} ${100 - value}`;
    pen = "L";
  }
  path.setAttribute("d", drawn);
  const marks = document.createElementNS(SVG, "path");
  marks.setAttribute("class", "ticks");
  marks.setAttribute("d", ticks.map((percent) => `M${SAMPLES - 4} ${100 - percent}h4`).join(""));
  svg.append(path, marks);
  return svg;
}
