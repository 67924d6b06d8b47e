/**
 * The machine or the feed in a cell: followed by the page's own client, or by what the kernel passes on. The anywidget
 * of mlops_jupyter/notebook/board.py, and what JupyterLab's renderer does.
 */

import type { Client } from "../client/client";
import { PageBoard } from "../lab/page";
import { type BoardActs, mount, type Part } from "../views/board";
import { type Placed, placed } from "./placed";

export const BOARD_MIME_TYPE = "application/vnd.mlops.board+json";

export interface SavedBoard {
  part: Part;
  kernel: string | null;
}

/** A pipeline is saved alike. */
export interface SavedPipeline {
  part: "pipeline";
  subject: string;
}

/** Null of what a later version wrote. */
export function savedBoard(data: unknown): SavedBoard | SavedPipeline | null {
  const { version, part, kernel, subject } = (data ?? {}) as Record<string, unknown>;
  if (version === 1 && part === "pipeline" && typeof subject === "string") return { part, subject };
  if (version !== 1 || (part !== "system" && part !== "activity")) return null;
  return { part, kernel: typeof kernel === "string" ? kernel : null };
}

export function liveBoard(el: HTMLElement, saved: SavedBoard, client: Client, open: BoardActs["open"], signal: AbortSignal): void {
  const page = new PageBoard(client, saved.part === "system" ? ["system"] : ["activity"]);
  const update = mount(el, page.board, signal, saved.part, saved.kernel, { act: page.act.bind(page), open });
  page.watch(update, signal);
  page.start(signal);
}

interface Traits extends Placed {
  part: Part;
  kernel: string | null;
}

export default placed<Traits>((el, model, client, signal) => {
  const saved = { part: model.get("part"), kernel: model.get("kernel") ?? null };
  liveBoard(el, saved, client, null, signal);
});
