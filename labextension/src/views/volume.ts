/** How much an endpoint predicts: a line of figures, bars of the last hours, and which columns are others than in training. */

import { count, figure, UNKNOWN } from "../state/figures";
import { driftWord, hoursOf, type Monitoring, volume } from "../state/modelcard";
import { trans } from "../words";
import { element, fill, say } from "./element";

const SVG = "http://www.w3.org/2000/svg";

export function mount(el: HTMLElement): (monitoring: Monitoring | null, now: number) => void {
  const line = element("p", { class: "volume", "data-testid": "mlops-volume" });
  const bars = element("div", { class: "hours", "data-testid": "mlops-hours" });
  const drift = element("div", { "data-testid": "mlops-drift" });
  el.append(line, bars, drift);
  return (monitoring, now) => {
    say(line, monitoring ? volume(monitoring) : trans.__("Nothing is known of its predictions yet."));
    fill(bars, JSON.stringify([monitoring?.hours ?? null, Math.floor(now / 3_600_000)]), () => (monitoring ? [picture(monitoring, now)] : []));
    fill(drift, JSON.stringify([monitoring?.drift, monitoring?.drift_reason, monitoring?.unwatched]), () => (monitoring ? drifting(monitoring) : []));
  };
}

function picture(monitoring: Monitoring, now: number): SVGSVGElement {
  const hours = hoursOf(monitoring, now);
  const highest = Math.max(...hours.map((one) => one.predictions ?? 0), 1);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "histogram");
  svg.setAttribute("viewBox", "0 0 240 40");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  const known = hours.filter((one) => one.predictions !== null);
  const all = known.reduce((sum, one) => sum + (one.predictions ?? 0), 0);
  const words = trans.__("last 24 hours: %1 predictions in %2 hours, at most %3 in one", count(all), String(known.length), count(known.length ? highest : 0));
  svg.setAttribute("aria-label", words);
  const title = document.createElementNS(SVG, "title");
  title.textContent = words;
  svg.append(title);
  hours.forEach(({ predictions }, at) => {
    // An hour nobody counted is a gap; one with nothing to count a line.
    if (predictions === null) return;
    const high = predictions === 0 ? 0.6 : Math.max((40 * predictions) / highest, 1.5);
    const bar = document.createElementNS(SVG, "rect");
    for (const [name, value] of Object.entries({ x: at * 10 + 1, y: 40 - high, width: 8, height: high })) bar.setAttribute(name, value.toFixed(2));
    svg.append(bar);
  });
  return svg;
}

/** Names of columns that are told; their number is. */
const TOLD = 5;

function drifting({ drift, drift_reason: reason, unwatched }: Monitoring): HTMLElement[] {
  if (drift === null) return reason ? [element("p", { class: "note" }, reason)] : [];
  const rows = Object.entries(drift);
  const cells = rows
    .sort(([, one], [, other]) => (other.psi ?? -1) - (one.psi ?? -1))
    .map(([name, one]) =>
      element(
        "tr",
        { "data-level": one.level },
        element("th", { scope: "row", title: name }, name),
        element("td", {}, driftWord(one)),
        element("td", { class: "number" }, one.psi === null ? UNKNOWN : figure(one.psi)),
        element("td", { class: "number" }, one.ks === null ? UNKNOWN : figure(one.ks)),
      ),
    );
  const head = element("tr", {}, element("th", { scope: "col" }, trans.__("Column")), element("th", { scope: "col" }, trans.__("What comes in")), element("th", { scope: "col", class: "number" }, "PSI"), element("th", { scope: "col", class: "number", title: trans.__("of numbers") }, "KS"));
  const names = unwatched.slice(0, TOLD).join(", ") + (unwatched.length > TOLD ? `, +${unwatched.length - TOLD}` : "");
  const rest = unwatched.length > 0 ? [element("p", { class: "note" }, trans.__("Not watched (dates, long texts, beyond the first columns): %1", names))] : [];
  return [element("h3", {}, trans.__("Against the training rows")), element("table", { class: "drift" }, element("thead", {}, head), element("tbody", {}, ...cells)), ...rest];
}
