/** The machine, the feed or a pipeline in one cell output. */

import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { Widget } from "@lumino/widgets";
import { pageClient } from "../client/client";
import { pageServer } from "../client/page";
import { BOARD_MIME_TYPE, liveBoard, savedBoard } from "../widgets/board";
import { cellPipeline } from "../widgets/pipeline";

export class BoardRenderer extends Widget implements IRenderMime.IRenderer {
  readonly #open: (jobId: string) => void;
  #leaving = new AbortController();

  constructor(open: (jobId: string) => void) {
    super();
    this.#open = open;
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.#leaving.abort();
    this.#leaving = new AbortController();
    const saved = savedBoard(model.data[BOARD_MIME_TYPE]);
    const client = pageClient();
    this.node.textContent = "";
    if (!saved || !client) {
      // Of a later version than this extension: the words that came with it say more than we could.
      this.node.textContent = String(model.data["text/plain"] ?? "");
      return;
    }
    const place = document.createElement("div");
    this.node.append(place);
    const { signal } = this.#leaving;
    if (saved.part === "pipeline") cellPipeline(place, saved.subject, client, pageServer()?.baseUrl ?? null, signal);
    else liveBoard(place, saved, client, this.#open, signal);
  }

  override dispose(): void {
    this.#leaving.abort();
    super.dispose();
  }
}
