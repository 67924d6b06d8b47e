/**
 * The anywidget of a job. Traits: `job_id`; `record` and `series`, what the kernel knows; what the kernel passes on,
 * if it is `relayed`. If not, the page's own Jupyter server knows the job: the card listens to that.
 */

import type { AnyModel } from "@anywidget/types";
import { pageClient } from "../client/client";
import { type Relayed, relayClient } from "../client/relay";
import { speakAsPage } from "../words";
import { type Given, live } from "./live";
import { jobIn, seriesIn } from "./saved";

interface Traits extends Relayed {
  job_id: string;
  record: unknown;
  series: unknown;
}

function render({ model, el, signal }: { model: AnyModel<Traits>; el: HTMLElement; signal?: AbortSignal }): () => void {
  speakAsPage();
  const leaving = new AbortController();
  signal?.addEventListener("abort", () => leaving.abort());
  const client = model.get("relayed") ? relayClient(model as unknown as AnyModel<Relayed>) : pageClient();
  const given = (): Given => ({
    jobId: model.get("job_id"),
    source: client ? "server" : "kernel",
    job: jobIn(model.get("record")),
    series: seriesIn(model.get("series")),
    asOf: null,
  });
  const tell = live(el, given(), client, leaving.signal);
  const changed = () => tell(given());
  model.on("change:record", changed);
  model.on("change:series", changed);
  leaving.signal.addEventListener("abort", () => {
    model.off("change:record", changed);
    model.off("change:series", changed);
  });
  return () => leaving.abort();
}

export default { render };
