/** Other ways to have the charts: as tables, as a picture in a file, on the whole screen. */

import { trans } from "../words";
import type { Choice } from "./choices";
import { drawn, fileName, type Picture, save } from "./picture";
import { mount as mountTables, type Tables } from "./table";

const EDGE_PX = 20;
const WIDE = 1.6;

export interface Source {
  tables(): Tables;
  pictures(): readonly Picture[];
  columns(): number;
  /** Of the job. */
  name(): { name: string; id: string };
  /** The card came to the whole screen, or back. */
  turned(): void;
}

/** Of the charts in `row`. What is returned says what can be done now. */
export function mount(row: HTMLElement, beside: HTMLElement, signal: AbortSignal, source: Source): () => Choice[] {
  const tabulate = mountTables(beside, signal);
  /** What the browser said when it would not. */
  let refusal: string | null = null;
  document.addEventListener("fullscreenchange", source.turned, { signal });

  function picture(): void {
    const { name, id } = source.name();
    const card = row.closest<HTMLElement>(".card");
    if (card) void save(drawn(card, [name, id].filter(Boolean).join(" · "), source.pictures(), source.columns()), fileName(name, id));
  }

  async function turn(): Promise<void> {
    if (isOnScreen(row)) {
      await document.exitFullscreen();
      return;
    }
    try {
      await row.closest<HTMLElement>(".card")?.requestFullscreen();
    } catch (error) {
      // It says so where it was asked: the entry is there again at the next opening.
      refusal = trans.__("The browser refused: %1", error instanceof Error ? error.message : String(error));
    }
  }

  return () => {
    const all: Choice[] = [
      { label: trans.__("Data table"), testid: "table", chosen: () => tabulate(source.tables()) },
      { label: trans.__("Save as picture (PNG)"), testid: "png", chosen: picture },
    ];
    // Pages that may not (a frame, a policy) have no such entry.
    if (!document.fullscreenEnabled) return all;
    const label = isOnScreen(row) ? trans.__("Leave full screen") : trans.__("Full screen");
    return [...all, { label, testid: "full", chosen: () => void turn(), refused: refusal }];
  };
}

/** Whether the card of these charts fills the screen. */
export function isOnScreen(row: HTMLElement): boolean {
  const root = row.getRootNode();
  return root instanceof ShadowRoot && Boolean(root.fullscreenElement);
}

/** How many of `all` stand in a row of the screen, so that they are wider than high. */
export function abreast(all: number): number {
  return Math.ceil(Math.sqrt((all * innerWidth) / innerHeight / WIDE));
}

/** How high each of `rows` rows may be, so that the card fills the screen and no more. */
export function tall(row: HTMLElement, rows: number, gap: number): number {
  const card = row.closest<HTMLElement>(".card");
  const below = card?.lastElementChild instanceof HTMLElement ? card.lastElementChild.offsetHeight : 0;
  const room = innerHeight - row.getBoundingClientRect().top - (card?.scrollTop ?? 0) - below - EDGE_PX;
  return Math.floor((room - gap * (rows - 1)) / rows);
}
