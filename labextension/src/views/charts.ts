/** The card's charts: as many as fit in a row, one crosshair for all and one part of the x axis, by pointer or by keys. */

import type { Act } from "../state/actions";
import type { Card } from "../state/card";
import { type Chart, charts } from "../state/charts";
import { isPositive, isTimed, type Range, reading } from "../state/curves";
import { figure } from "../state/figures";
import { code, shortId } from "../state/job";
import { type Look, lookOf } from "../state/look";
import { watchPreferences } from "../state/preferences";
import { magnified } from "../state/series";
import { pointTable } from "../state/table";
import { along, around, type Row, walked, zoomed } from "../state/zoom";
import { trans } from "../words";
import { type ChartView, mount as mountChart } from "./chart";
import { element, say, show } from "./element";
import { keepLook, keptLook } from "./kept";
import { paced } from "./pace";
import { AROUND_PX, PLOT_PX } from "./plot";
import type { Tables } from "./table";
import { watchTheme } from "./theme";
import { mount as mountTools } from "./toolbar";
import { abreast, isOnScreen, mount as mountWays, tall } from "./ways";

export interface Strip {
  update(next: Card): void;
  /** How many metrics there are, and how many of them are in the row. */
  counts(): { all: number; shown: number };
  /** All of them, in several rows, or one row. */
  unfold(all: boolean): void;
  /** Whether they are what the card shows now: their tools come and go with them. */
  offer(shown: boolean): void;
}

const CHART_PX = 205;
const GAP_PX = 14;
const ROW_GAP_PX = 8;
/** Title and legend of a chart. */
const WORDS_PX = 29;

/** Somebody who turns a part over and over asks once. */
const ASK_MS = 200;
const NEARER = 0.5;
const ORDERS: Record<string, "all" | { axis: "x" | "y"; factor: number }> = {
  "0": "all",
  "+": { axis: "x", factor: NEARER },
  "=": { axis: "x", factor: NEARER },
  "-": { axis: "x", factor: 1 / NEARER },
  _: { axis: "x", factor: 1 / NEARER },
  "Shift ArrowUp": { axis: "y", factor: NEARER },
  "Shift ArrowDown": { axis: "y", factor: 1 / NEARER },
};

interface Slot {
  box: HTMLElement;
  view: ChartView;
  leaving: AbortController;
}

/** `tools` is where the tools of the charts go. */
export function mount(el: HTMLElement, tools: HTMLElement, card: Card, signal: AbortSignal, act: Act, fitted: () => void): Strip {
  const row = element("div", {
    class: "charts",
    role: "group",
    tabindex: "0",
    "aria-label": trans.__("Metrics; left and right arrow move the crosshair, plus and minus zoom around it, Shift with up and down zooms the values, 0 shows all"),
    "data-testid": "mlops-charts",
  });
  const spoken = element("div", { class: "spoken", "aria-live": "polite" });
  el.append(row, spoken);
  const slots = new Map<string, Slot>();
  let shown = card;
  let all: Chart[] = [];
  let width = 0;
  let unfolded = false;
  let step: number | null = null;
  let offered = false;
  let chosen: Partial<Look> = keptLook(card.jobId);
  /** The part of the x axis that is looked at, how many points there were when it was chosen, and of charts the part of the y axis. */
  let x: Range | null = null;
  let known = 0;
  const ys = new Map<string, { part: Range; all: Range }>();
  let asking: ReturnType<typeof setTimeout> | undefined;
  const follow = element("button", { class: "quiet", type: "button", hidden: true, "data-testid": "mlops-follow" });
  follow.addEventListener("click", () => {
    row.focus();
    showAll();
  });
  tools.prepend(follow);

  const room = () => (width < 380 ? 1 : width < 560 ? 2 : Math.max(3, Math.floor((width + GAP_PX) / (CHART_PX + GAP_PX))));
  const visible = () => (unfolded || isOnScreen(row) ? all : all.slice(0, room()));
  const columns = () => Math.max(Math.min(isOnScreen(row) ? abreast(visible().length) : room(), visible().length), 1);
  const repaint = paced(row, paint, signal);
  const name = () => ({ name: shown.job?.name ?? "", id: shortId(shown.jobId) });
  const ways = mountWays(row, el, signal, {
    ...{ tables, columns, name },
    pictures: () => visible().flatMap(({ title }) => slots.get(title)?.view.picture() ?? []),
    turned: () => {
      repaint();
      fitted();
    },
  });
  const tell = mountTools(tools, row, signal, { choose, zoom: closer, ways });

  function choose(choice: Partial<Look>): void {
    const { xAxis } = look();
    chosen = { ...chosen, ...choice };
    keepLook(card.jobId, chosen);
    // A part of one axis is none of the other, and heights differ.
    if (look().xAxis !== xAxis) x = null;
    if (choice.log !== undefined || choice.fit !== undefined) ys.clear();
    turn();
  }

  function tables(): Tables {
    const tables = visible().map((chart) => ({ title: chart.title, unit: units(shown, chart).unit, table: pointTable(chart, look(), x) }));
    return { name: name().name || name().id, tables, code: `${code(shown.jobId)}.metrics`, csv: () => act({ do: "csv" }) };
  }

  function turn(): void {
    all = charts(shown.job, x ? magnified(shown.series, shown.near) : shown.series);
    equip();
    repaint();
  }

  function measured(): number {
    return [...shown.series.values()].reduce((sum, { count }) => sum + count, 0);
  }

  function zoomTo(part: Range | null): void {
    x = part;
    known = measured();
    turn();
    clearTimeout(asking);
    const reduced = [...shown.series.values()].some(({ count, points }) => points.length < count);
    // While somebody moves on, the last part alone is asked for.
    if (part && reduced && shown.source === "server") asking = setTimeout(() => act({ do: "look", ...around(rows(), part) }), ASK_MS);
  }

  function showAll(): void {
    ys.clear();
    zoomTo(null);
  }

  function rows(): Row[] {
    const found = [...slots.values()].flatMap(({ view }) => {
      const { steps, xs } = view.rows();
      return steps.map((step, i) => ({ step, x: xs[i] ?? 0 }));
    });
    return found.sort((a, b) => a.x - b.x || a.step - b.step);
  }

  function whole(): Range {
    const all = rows();
    const total = look().xAxis === "step" ? Math.max(0, ...visible().map((chart) => units(shown, chart).total ?? 0)) : 0;
    return [all[0]?.x ?? 0, Math.max(all.at(-1)?.x ?? 1, total)];
  }

  /** Around the crosshair, or the middle. */
  function closer(factor: number): void {
    if (slots.size === 0) return;
    const all = whole();
    const at = rows().find((row) => row.step === step)?.x ?? ((x ?? all)[0] + (x ?? all)[1]) / 2;
    zoomTo(zoomed(x, all, at, factor, look().xAxis === "step" ? 1 : (all[1] - all[0]) / 10_000));
  }

  function higher(factor: number): void {
    for (const [title, { view }] of slots) {
      const { shown: now, at } = view.y(step);
      const all = ys.get(title)?.all ?? now;
      const part = zoomed(now, all, at ?? (now[0] + now[1]) / 2, factor, (all[1] - all[0]) / 10_000);
      if (part) ys.set(title, { part, all });
      else ys.delete(title);
    }
    turn();
  }

  /** What cannot be had of these charts is not looked at, and chosen again where it can. */
  function look(): Look {
    const wanted = lookOf(chosen);
    return { ...wanted, log: wanted.log && noLog() === null, xAxis: noTime() === null ? wanted.xAxis : "step" };
  }

  function noLog(): string | null {
    return all.some(isPositive) ? null : trans.__("There are values of 0 or below: they have no logarithm.");
  }

  function noTime(): string | null {
    return all.every(isTimed) ? null : trans.__("It is not known when these values were measured.");
  }

  function equip(): void {
    const zoomedIn = x !== null || ys.size > 0;
    tell({ look: look(), noLog: noLog(), noTime: noTime(), noMore: x === null ? trans.__("All is shown.") : null, offered: offered && all.length > 0 });
    show(follow, offered && zoomedIn);
    say(follow, x && measured() > known ? `● ${trans.__("new data — follow")}` : trans.__("Reset zoom"));
  }

  function paint(): void {
    if (width === 0) return;
    const looked = look();
    const wanted = visible();
    for (const [title, slot] of slots) {
      if (wanted.some((chart) => chart.title === title)) continue;
      slot.leaving.abort();
      slot.box.remove();
      slots.delete(title);
    }
    const inRow = columns();
    row.style.gridTemplateColumns = `repeat(${inRow}, minmax(0, 1fr))`;
    const each = Math.floor((width - GAP_PX * (inRow - 1)) / inRow);
    const rows = Math.ceil(wanted.length / inRow);
    const height = isOnScreen(row) ? Math.max(tall(row, rows, ROW_GAP_PX) - WORDS_PX - AROUND_PX, PLOT_PX) : PLOT_PX;
    wanted.forEach((chart, i) => {
      const { box, view } = slots.get(chart.title) ?? open(chart.title);
      if (row.children[i] !== box) row.insertBefore(box, row.children[i] ?? null);
      view.paint({ chart, ...units(shown, chart), look: looked, width: each, height, x, y: ys.get(chart.title)?.part ?? null, step });
    });
    for (const { view } of slots.values()) view.tell();
  }

  function open(title: string): Slot {
    const leaving = new AbortController();
    const box = element("div", { class: "chart", "data-testid": "mlops-chart", "data-metric": title });
    const dragged = (axis: "x" | "y", part: Range) => {
      if (axis === "x") zoomTo(part);
      else {
        ys.set(title, { part, all: ys.get(title)?.all ?? slot.view.y(null).shown });
        turn();
      }
    };
    const slot: Slot = { box, leaving, view: mountChart(box, leaving.signal, { pointed: point, dragged }) };
    slots.set(title, slot);
    return slot;
  }

  function point(at: number | null): void {
    if (at === step) return;
    step = at;
    for (const { view } of slots.values()) view.cross(step);
  }

  row.addEventListener("keydown", (event) => {
    // Those are the browser's: Ctrl with + and − makes pages larger.
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const order = ORDERS[`${event.shiftKey && event.key.startsWith("Arrow") ? "Shift " : ""}${event.key}`];
    if (order) {
      event.preventDefault();
      if (order === "all") showAll();
      else if (order.axis === "x") closer(order.factor);
      else higher(order.factor);
      return;
    }
    const steps = [...new Set(rows().map((row) => row.step))].sort((a, b) => a - b);
    const next = walked(steps, step, event.key);
    if (next === undefined) return;
    event.preventDefault();
    const at = rows().find((row) => row.step === next)?.x;
    if (x && at !== undefined && (at < x[0] || at > x[1])) zoomTo(along(x, whole(), at));
    point(next);
    say(spoken, next === null ? "" : readings(visible(), look(), next));
  });
  row.addEventListener("blur", () => point(null));
  row.addEventListener("dblclick", showAll);

  const sizes = new ResizeObserver((entries) => {
    const measured = Math.floor(entries.at(-1)?.contentRect.width ?? 0);
    if (measured === width || measured === 0) return;
    width = measured;
    repaint();
    fitted();
  });
  sizes.observe(row);
  watchTheme(repaint, signal);
  watchPreferences(() => {
    equip();
    repaint();
  }, signal);
  signal.addEventListener("abort", () => {
    sizes.disconnect();
    clearTimeout(asking);
    for (const slot of slots.values()) slot.leaving.abort();
  });

  const update = (next: Card) => {
    shown = next;
    turn();
    show(row, all.length > 0);
  };
  update(card);
  return {
    update,
    counts: () => ({ all: all.length, shown: isOnScreen(row) ? all.length : Math.min(all.length, room()) }),
    unfold(everything) {
      unfolded = everything;
      repaint();
    },
    offer(inSight) {
      offered = inSight;
      equip();
    },
  };
}

/** What the steps of a chart are called and how many are to come: those of the fit. */
function units(card: Card, chart: Chart): { unit: string; total: number | null } {
  const training = card.job?.stages.find((stage) => stage.name === "Training model");
  const measured = Math.max(...chart.lines.map((line) => line.series.points.at(-1)?.step ?? 0));
  const total = training?.state === "running" ? training.total : null;
  return { unit: training?.unit ?? trans.__("step"), total: total !== null && total >= measured ? total : null };
}

function readings(shown: readonly Chart[], look: Look, step: number): string {
  const values = shown.flatMap((chart) =>
    chart.lines.map((line) => {
      const read = reading(line, look, step);
      const value = `${line.name} ${figure(read?.point.value)}`;
      return read && look.smoothing > 0 ? trans.__("%1, smoothed %2", value, figure(read.smooth)) : value;
    }),
  );
  return trans.__("step %1: %2", String(step), values.join(", "));
}
