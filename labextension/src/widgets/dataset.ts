/** A dataset that lives: what the page knows of it, its preview and what was learned from it, asked for as they change. */

import type { Client } from "../client/client";
import { RequestFailed } from "../client/rest";
import type { PageBoard } from "../lab/page";
import { type DatasetSight, type Lineage, type Preview, shownVersion } from "../state/preview";
import { trans } from "../words";
import { type DatasetActs, mount } from "../views/dataset";

export function liveDataset(el: HTMLElement, id: string, client: Client, page: PageBoard, acts: Omit<DatasetActs, "version">, signal: AbortSignal): void {
  let sight: DatasetSight = { id, dataset: null, version: null, preview: null, lineage: null, trouble: null, now: Date.now() };
  const version = (chosen: number) => change({ version: chosen });
  const update = mount(el, sight, signal, { ...acts, version });
  /** The version whose preview is there, or on its way. */
  let asked: number | null = null;
  let learned = false;

  page.watch(known, signal);
  page.listen((events) => {
    if (events.some(({ type }) => type === "training_queued" || type === "model_status")) void lineage();
  }, signal);
  known();

  function change(told: Partial<DatasetSight>): void {
    if (signal.aborted) return;
    sight = { ...sight, ...told };
    const now = shownVersion(sight)?.version ?? null;
    if (now !== asked) {
      sight = { ...sight, preview: null };
      asked = now;
      if (now !== null) void preview(now);
    }
    update(sight);
  }

  function known(): void {
    const { assets, now } = page.board;
    const dataset = assets.datasets?.find((one) => one.id === id) ?? null;
    const gone = assets.datasets !== null && dataset === null;
    if (dataset && !learned) {
      learned = true;
      void lineage();
    }
    change({ dataset, now, ...(gone && { trouble: trans.__("No such dataset any more.") }) });
  }

  async function preview(of: number): Promise<void> {
    try {
      const answer = await client.rest.ask<Preview>("GET", `datasets/${id}/preview`, { version: of }, signal);
      if (asked === of) change({ preview: answer, trouble: null });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RequestFailed)) throw error;
      change({ trouble: `${trans.__("No preview")}: ${error.message}` });
    }
  }

  async function lineage(): Promise<void> {
    try {
      change({ lineage: await client.rest.ask<Lineage>("GET", `datasets/${id}/lineage`, {}, signal) });
    } catch (error) {
      // What was known stays; the next job asks again.
      if (!signal.aborted && !(error instanceof RequestFailed)) throw error;
    }
  }
}
