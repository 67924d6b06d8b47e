/** The card's charts: as many as fit in a row, one crosshair for all, by pointer or by ←/→. */

import type { Card } from "../state/card";
import { type Chart, charts } from "../state/charts";
import { isPositive, isTimed, reading } from "../state/curves";
import { figure } from "../state/figures";
import { type Look, lookOf } from "../state/look";
import { watchPreferences } from "../state/preferences";
import { trans } from "../words";
import { type ChartView, mount as mountChart } from "./chart";
import { element, say, show } from "./element";
import { keepLook, keptLook } from "./kept";
import { paced } from "./pace";
import { watchTheme } from "./theme";
import { mount as mountTools } from "./toolbar";

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

interface Slot {
  box: HTMLElement;
  view: ChartView;
  leaving: AbortController;
}

/** `tools` is where the tools of the charts go. */
export function mount(el: HTMLElement, tools: HTMLElement, card: Card, signal: AbortSignal, fitted: () => void): Strip {
  const row = element("div", {
    class: "charts",
    role: "group",
    tabindex: "0",
    "aria-label": trans.__("Metrics; left and right arrow move the crosshair"),
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

  const room = () => (width < 380 ? 1 : width < 560 ? 2 : Math.max(3, Math.floor((width + GAP_PX) / (CHART_PX + GAP_PX))));
  const visible = () => (unfolded ? all : all.slice(0, room()));
  const repaint = paced(row, paint, signal);
  const tell = mountTools(tools, row, signal, (choice) => {
    chosen = { ...chosen, ...choice };
    keepLook(card.jobId, chosen);
    equip();
    repaint();
  });

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
    tell({ look: look(), noLog: noLog(), noTime: noTime(), offered: offered && all.length > 0 });
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
    const columns = Math.max(Math.min(wanted.length, room()), 1);
    row.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    const each = Math.floor((width - GAP_PX * (columns - 1)) / columns);
    wanted.forEach((chart, i) => {
      const { box, view } = slots.get(chart.title) ?? open(chart.title);
      if (row.children[i] !== box) row.insertBefore(box, row.children[i] ?? null);
      view.paint({ chart, ...units(shown, chart), look: looked, width: each, step });
    });
  }

  function open(title: string): Slot {
    const leaving = new AbortController();
    const box = element("div", { class: "chart", "data-testid": "mlops-chart", "data-metric": title });
    const slot = { box, leaving, view: mountChart(box, leaving.signal, point) };
    slots.set(title, slot);
    return slot;
  }

  function point(at: number | null): void {
    if (at === step) return;
    step = at;
    for (const { view } of slots.values()) view.cross(step);
  }

  row.addEventListener("keydown", (event) => {
    const steps = [...new Set([...slots.values()].flatMap((slot) => slot.view.steps()))].sort((a, b) => a - b);
    const next = walked(steps, step, event.key);
    if (next === undefined) return;
    event.preventDefault();
    point(next);
    say(spoken, next === null ? "" : readings(visible(), look(), next));
  });
  row.addEventListener("blur", () => point(null));

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
    for (const slot of slots.values()) slot.leaving.abort();
  });

  const update = (next: Card) => {
    shown = next;
    all = charts(next.job, next.series);
    show(row, all.length > 0);
    equip();
    repaint();
  };
  update(card);
  return {
    update,
    counts: () => ({ all: all.length, shown: Math.min(all.length, room()) }),
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

function walked(steps: readonly number[], from: number | null, key: string): number | null | undefined {
  const at = from === null ? -1 : steps.indexOf(from);
  switch (key) {
    case "ArrowRight":
      return steps[from === null ? 0 : Math.min(at + 1, steps.length - 1)];
    case "ArrowLeft":
      return steps[from === null ? steps.length - 1 : Math.max(at - 1, 0)];
    case "Home":
      return steps[0];
    case "End":
      return steps.at(-1);
    default:
      return undefined;
  }
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
