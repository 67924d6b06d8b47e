/**
 * The machine: its health as shape and word, and a gauge each for CPU, memory and disk with the last minutes. In a panel
 * each has its line, and below them stand all other figures; in a strip all stand in one line, and tooltips have the rest.
 */

import type { Board } from "../state/board";
import { roughly } from "../state/figures";
import { type Gauge, type Level, machine } from "../state/machine";
import { trans } from "../words";
import { attribute, element, fill, say, show } from "./element";
import { draw, mark } from "./marks";

const SVG = "http://www.w3.org/2000/svg";
/** Of a spark line, in its own units: a sample each. */
const SAMPLES = 60;

export function mount(el: HTMLElement, board: Board, form: "panel" | "strip" = "panel"): (next: Board) => void {
  const strip = form === "strip";
  const shape = mark("live");
  const word = element("span", { "data-testid": "mlops-health" });
  const every = element("span", { class: "note", "data-testid": "mlops-every" });
  const health = element("div", { class: "health" }, element("p", { role: "status" }, shape, word), every);
  const whose = element("span", { class: "note", "data-testid": "mlops-whose" });
  const gauges = element("dl", { class: "gauges" });
  const more = element("div", { class: "note", "data-testid": "mlops-machine-more" });
  const nothing = element("p", { class: "note" }, trans.__("No sample of the machine yet."));
  if (strip) el.append(whose, gauges, more, health, nothing);
  else el.append(health, gauges, more, nothing);

  const update = (next: Board) => {
    const known = machine(next);
    for (const part of [health, gauges, more]) show(part, known !== null);
    show(whose, known !== null && known.whose !== null);
    show(nothing, known === null);
    if (!known) return;
    draw(shape, known.health === "healthy" ? "live" : known.health === "warning" ? "warning" : "failed");
    attribute(health, "data-level", known.health);
    say(word, called(known.health));
    if (strip) say(more, known.brief.join(" · "));
    else fill(more, JSON.stringify(known.more), () => known.more.map((line) => element("p", {}, line)));
    attribute(more, "title", strip ? known.more.join("\n") : null);
    say(whose, known.whose ?? "");
    say(every, strip && known.every !== null ? `· ${roughly(known.every)}` : "");
    attribute(every, "title", known.every === null ? null : trans.__("a sample every %1", roughly(known.every)));
    const tell = strip ? (gauge: Gauge) => short(gauge, known.whose) : told;
    fill(gauges, JSON.stringify([known.gauges, known.whose]), () => known.gauges.flatMap(tell));
  };
  update(board);
  return update;
}

function called(level: Level): string {
  return { healthy: trans.__("Healthy"), warning: trans.__("Warning"), critical: trans.__("Critical") }[level];
}

function levelOf({ level }: Gauge): HTMLElement | null {
  return level === "healthy" ? null : element("b", { class: "level" }, ` ${called(level).toLowerCase()}`);
}

/** A disk of the last five minutes says no more than its figure, and says whose it is by its name. */
function short(gauge: Gauge, ofAll: string | null): HTMLElement[] {
  const disk = gauge.key === "disk";
  const whose = disk || gauge.whose === ofAll ? null : element("span", { class: "note" }, gauge.whose);
  const all = [gauge.percent, gauge.figures, gauge.whose].join(" · ");
  const figure = element(
    "dd",
    { "data-testid": `mlops-gauge-${gauge.key}`, "data-level": gauge.level, title: all },
    element("b", {}, gauge.brief),
    disk ? null : spark(gauge),
    whose,
    levelOf(gauge),
  );
  // A name wraps with its figure.
  return [element("div", { class: "gauge" }, element("dt", {}, disk ? trans.__("Data disk") : gauge.name), figure)];
}

function told(gauge: Gauge): HTMLElement[] {
  const level = levelOf(gauge);
  return [
    element("dt", {}, gauge.name),
    element(
      "dd",
      { "data-testid": `mlops-gauge-${gauge.key}`, "data-level": gauge.level },
      element("b", { class: "percent" }, gauge.percent),
      spark(gauge),
      element("span", { class: "note" }, `${gauge.figures} · ${gauge.whose}`, level),
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
