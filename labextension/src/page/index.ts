/** `jupyter mlops`: the panel and a job, a dataset, a model or a pipeline beside it, as a page of its own. Its address names it, its title the state. */

import { type Client, pageClient } from "../client/client";
import { addressOf, chosenIn, type PageServer, pageServer } from "../client/page";
import { pipelinesOf } from "../client/pipelines";
import { followLinks } from "../lab/links";
import { PageBoard } from "../lab/page";
import { uploadsOf } from "../lab/uploads";
import type { Action } from "../state/actions";
import { nounOf } from "../state/nouns";
import { title } from "../state/title";
import { element } from "../views/element";
import { mount as mountPanel } from "../views/panel";
import { liveDataset } from "../widgets/dataset";
import { folding } from "../widgets/folded";
import { live } from "../widgets/live";
import { liveModel } from "../widgets/model";
import { livePipeline } from "../widgets/pipeline";
import { trans } from "../words";

const [client, server] = [pageClient(), pageServer()];
if (client && server) begin(client, server);

function begin(client: Client, server: PageServer): void {
  withoutToken();
  const page = new PageBoard(client);
  const ever = new AbortController().signal;
  const beside = document.getElementById("job") as HTMLElement;
  const panel = document.getElementById("panel") as HTMLElement;
  const place = element("div", {});
  panel.append(place);
  const order = (jobId: string, action: Action) => void page.order(jobId, action);
  const pipelines = { door: pipelinesOf(client.rest, server.baseUrl), changed: () => page.refresh("pipelines") };
  const acts = { act: page.act.bind(page), order, open, upload: uploadsOf(client, server, page), ...folding, pipelines };
  const update = mountPanel(place, page.board, ever, acts);

  let shown: string | null | undefined;
  let leaving = new AbortController();

  page.watch((board) => {
    update(board);
    tellTitle();
  });
  page.start(ever);
  window.addEventListener("popstate", show);
  followLinks(server, open);
  show();

  function open(id: string | null, part: string | null = null): void {
    history.pushState(null, "", addressOf(server, id, part));
    show();
    // Where there is room for one of them only, the other is hidden, and the focus with it.
    if (!panel.checkVisibility()) beside.focus();
  }

  /** What the address names, or none. */
  function show(): void {
    const { id, part } = chosenIn(new URL(location.href));
    const key = id === null ? null : `${id} ${part ?? ""}`;
    if (key === shown) return;
    shown = key;
    leaving.abort();
    leaving = new AbortController();
    beside.replaceChildren(...(id === null ? [nothing()] : [back(), view(id, part)]));
    if (id === null) delete document.body.dataset["job"];
    else document.body.dataset["job"] = id;
    tellTitle();
  }

  function tellTitle(): void {
    const told = title(page.board, chosenIn(new URL(location.href)).id);
    if (document.title !== told) document.title = told;
  }

  function view(id: string, part: string | null): HTMLElement {
    const place = element("div", {});
    const noun = nounOf(id);
    if (noun === "dataset") liveDataset(place, id, client, page, { open }, leaving.signal);
    else if (noun === "model") liveModel(place, id, client, page, open, server, leaving.signal, part);
    else if (noun === "pipeline") livePipeline(place, id, client, page, server.baseUrl, leaving.signal);
    else live(place, { jobId: id, source: "server", job: null, series: {}, asOf: null }, client, leaving.signal);
    return place;
  }

  function back(): HTMLElement {
    return element("a", { class: "back", href: addressOf(server, null) }, trans.__("‹ All jobs"));
  }
}

function nothing(): HTMLElement {
  return element("p", { class: "nothing" }, trans.__("What is chosen in the list is shown here."));
}

/** Who came by a token has a cookie now: what is copied from the address bar must not hold it. */
function withoutToken(): void {
  const address = new URL(location.href);
  if (!address.searchParams.has("token")) return;
  address.searchParams.delete("token");
  history.replaceState(null, "", address);
}
