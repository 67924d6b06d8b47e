/**
 * The machine or the feed in a cell: followed by the page's own client, or by what the kernel passes on. The anywidget
 * of mlops_jupyter/notebook/board.py, and what JupyterLab's renderer does.
 */

import type { AnyModel } from "@anywidget/types";
import type { Client } from "../client/client";
import { type Relayed, relayClient } from "../client/relay";
import { PageBoard } from "../lab/page";
import { type BoardActs, mount, type Part } from "../views/board";

export const BOARD_MIME_TYPE = "application/vnd.mlops.board+json";

export interface SavedBoard {
  part: Part;
  kernel: string | null;
}

/** Null of what a later version wrote. */
export function savedBoard(data: unknown): SavedBoard | null {
  const { version, part, kernel } = (data ?? {}) as Record<string, unknown>;
  if (version !== 1 || (part !== "system" && part !== "activity")) return null;
  return { part, kernel: typeof kernel === "string" ? kernel : null };
}

export function liveBoard(el: HTMLElement, saved: SavedBoard, client: Client, open: BoardActs["open"], signal: AbortSignal): void {
  const page = new PageBoard(client, saved.part === "system" ? ["system"] : ["activity"]);
  const update = mount(el, page.board, signal, saved.part, saved.kernel, { act: page.act.bind(page), open });
  page.watch(update, signal);
  page.start(signal);
}

interface Traits extends Relayed {
  part: Part;
}

function render({ model, el, signal }: { model: AnyModel<Traits>; el: HTMLElement; signal?: AbortSignal }): () => void {
  const leaving = new AbortController();
  signal?.addEventListener("abort", () => leaving.abort());
  const client = relayClient(model as unknown as AnyModel<Relayed>);
  liveBoard(el, { part: model.get("part"), kernel: null }, client, null, leaving.signal);
  return () => leaving.abort();
}

export default { render };
