/** Times the repaints of a card that grows, and of bare uPlot with the same data. Not a part of the product. */

import uPlot from "uplot";
import uplotCss from "uplot/dist/uPlot.min.css";
import type { Event, Job, Point } from "../src/protocol";
import { freshCard, reduce } from "../src/state/card";
import { mount } from "../src/views/train";

interface Times {
  ours: number[];
  bare: number[];
}

declare global {
  interface Window {
    /** Milliseconds of script and layout a repaint, ours and bare in turns. */
    timeRepaints(record: Job, charts: number, points: number, rounds: number): Promise<Times>;
  }
}

const ROLES = ["train", "val"] as const;
/** More than a card's pace: each repaint is its own. */
const APART_MS = 300;
const WIDTH = 205;
const HEIGHT = 86;

function value(chart: number, role: number, step: number): number {
  return Math.exp(-step / 90) + 0.02 * Math.sin(step * (chart + 2)) + 0.1 * role + 0.01;
}

function told(charts: number, steps: readonly number[]): Point[] {
  return steps.flatMap((step) =>
    [...Array(charts).keys()].flatMap((chart) =>
      ROLES.map((name, role) => ({ name: `${name}_m${chart}`, step, value: value(chart, role, step), elapsed: step / 10 })),
    ),
  );
}

function timed(work: () => void, el: HTMLElement): number {
  const began = performance.now();
  work();
  // Layout belongs to it, and would else be the next one's.
  el.getBoundingClientRect();
  return performance.now() - began;
}

/** What its first chart says it shows, how many points included. */
function shown(el: HTMLElement): string | null | undefined {
  return el.shadowRoot?.querySelector(".image")?.getAttribute("aria-label");
}

window.timeRepaints = async (record, charts, points, rounds) => {
  const place = document.getElementById("states") as HTMLElement;
  const [mine, theirs] = [document.createElement("div"), document.createElement("div")];
  const style = document.createElement("style");
  style.textContent = uplotCss;
  place.replaceChildren(style, mine, theirs);
  place.style.width = `${charts * (WIDTH + 14) + 24}px`;

  const steps = [...Array(points).keys()].map((i) => i + 1);
  const event = (seq: number, told: Point[]): Event => ({ type: "metric_points", time: "", seq, priority: "low", job_id: record.job_id, points: told });
  let card = reduce(freshCard(record.job_id, "kernel", 0), { kind: "record", at: 0, job: record });
  card = reduce(card, { kind: "events", at: 1, events: [event(1e6, told(charts, steps))] });
  const update = mount(mine, card, new AbortController().signal, () => {});

  const columns = (chart: number, until: number): uPlot.AlignedData => {
    const xs = [...Array(until).keys()].map((i) => i + 1);
    return [xs, ...ROLES.map((_, role) => xs.map((step) => value(chart, role, step)))];
  };
  const series = ROLES.map((_, role) => ({ stroke: role ? "#E04F00" : "#0072B2", width: 1.75, points: { show: false } }));
  const plots = [...Array(charts).keys()].map(
    (chart) =>
      new uPlot(
        { width: WIDTH, height: HEIGHT, legend: { show: false }, cursor: { show: false }, scales: { x: { time: false } }, series: [{}, ...series] },
        columns(chart, points),
        theirs,
      ),
  );

  const times: Times = { ours: [], bare: [] };
  for (let round = 1; round <= rounds; round++) {
    await new Promise((done) => setTimeout(done, APART_MS));
    const last = points + round;
    const fresh = told(charts, [last]);
    const data = plots.map((_, chart) => columns(chart, last));
    const before = shown(mine);
    const took = timed(() => {
      card = reduce(card, { kind: "events", at: last, events: [event(1e6 + round, fresh)] });
      update(card);
    }, mine);
    // A card that kept its pace has drawn nothing: it does so later, in no round.
    if (shown(mine) !== before) times.ours.push(took);
    times.bare.push(
      timed(() => {
        plots.forEach((plot, chart) => plot.batch(() => plot.setData(data[chart] as uPlot.AlignedData)));
      }, theirs),
    );
  }
  if (mine.shadowRoot?.querySelectorAll("canvas").length !== charts) throw new Error("other charts than asked for");
  if (times.ours.length < rounds / 2) throw new Error("ours did not repaint");
  return times;
};
