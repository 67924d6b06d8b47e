/**
 * A pipeline that lives: as the page knows it, run and changed by its server, and the last run of it as a card below.
 * The anywidget of one, too, which a kernel feeds.
 */

import type { Client } from "../client/client";
import { pipelinesOf } from "../client/pipelines";
import { PageBoard } from "../lab/page";
import { runOf } from "../state/pipelines";
import { mount } from "../views/pipelinecard";
import { trans } from "../words";
import { live } from "./live";
import { type Placed, placed } from "./placed";

/** In a cell, which has no state of a page around it. */
export function cellPipeline(el: HTMLElement, id: string, client: Client, baseUrl: URL | null, signal: AbortSignal): void {
  const page = new PageBoard(client, ["pipelines", "jobs"]);
  livePipeline(el, id, client, page, baseUrl, signal);
  page.start(signal);
}

/** `baseUrl`: of the page's server, where it has one. */
export function livePipeline(el: HTMLElement, id: string, client: Client, page: PageBoard, baseUrl: URL | null, signal: AbortSignal): void {
  const acts = {
    door: pipelinesOf(client.rest, baseUrl),
    ran: (jobId: string) => show(jobId),
    changed: () => page.refresh("pipelines"),
    names: () => page.board.assets.pipelines?.map((one) => one.name) ?? [],
  };
  let running: { jobId: string; leaving: AbortController } | null = null;
  const { update, run } = mount(el, sight(), signal, acts);
  page.watch(known, signal);
  known();

  function sight() {
    const { assets, now } = page.board;
    const pipeline = assets.pipelines?.find((one) => one.id === id) ?? null;
    const gone = assets.pipelines !== null && pipeline === null;
    return { id, pipeline, now, trouble: gone ? trans.__("No such pipeline any more.") : null };
  }

  function known(): void {
    update(sight());
    const last = runOf(page.board.jobs.values(), id);
    if (last) show(last.job_id);
  }

  /** The newest run there is: one that was begun here is known before the server tells of it. */
  function show(jobId: string): void {
    if (signal.aborted || running?.jobId === jobId) return;
    // What was begun later is not taken away by what is heard of earlier ones.
    if (running && page.board.jobs.has(jobId) && !page.board.jobs.has(running.jobId)) return;
    running?.leaving.abort();
    const leaving = new AbortController();
    running = { jobId, leaving };
    const place = document.createElement("div");
    run.replaceChildren(place);
    const given = { jobId, source: "server", job: page.board.jobs.get(jobId) ?? null, series: {}, asOf: null } as const;
    live(place, given, client, AbortSignal.any([signal, leaving.signal]));
  }
}

interface Traits extends Placed {
  subject: string;
}

export default placed<Traits>((el, model, client, signal) => cellPipeline(el, model.get("subject"), client, null, signal));
