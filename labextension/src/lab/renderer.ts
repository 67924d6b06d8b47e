/** One job in one cell output: what was saved with the notebook at once, then live when the server knows the job. */

import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { Widget } from "@lumino/widgets";
import { pageClient } from "../client/client";
import { type Given, live } from "../widgets/live";
import { MIME_TYPE, type SavedJob, savedJob } from "../widgets/saved";

export class JobRenderer extends Widget implements IRenderMime.IRenderer {
  #leaving: AbortController | null = null;
  #shown: { jobId: string; tell: (next: Given) => void } | null = null;

  constructor() {
    super();
    this.addClass("mlops-job");
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const saved = savedJob(model.data[MIME_TYPE]);
    if (!saved) {
      this.#leave();
      // Of a later version than this extension: the words that came with it say more than we could.
      this.node.textContent = String(model.data["text/plain"] ?? "");
      return;
    }
    if (this.#shown?.jobId === saved.job_id) {
      this.#shown.tell(given(saved));
      return;
    }
    this.#leave();
    this.node.textContent = "";
    this.#leaving = new AbortController();
    const place = document.createElement("div");
    this.node.append(place);
    this.#shown = { jobId: saved.job_id, tell: live(place, given(saved), pageClient(), this.#leaving.signal) };
  }

  override dispose(): void {
    this.#leave();
    super.dispose();
  }

  #leave(): void {
    this.#leaving?.abort();
    this.#leaving = null;
    this.#shown = null;
  }
}

function given(saved: SavedJob): Given {
  return {
    jobId: saved.job_id,
    source: "saved",
    job: saved.record ?? null,
    series: saved.series ?? {},
    asOf: saved.as_of ?? null,
  };
}
