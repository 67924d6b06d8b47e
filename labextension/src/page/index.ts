/** `jupyter mlops`: the panel and a job beside it, as a page of its own. Its address names the job, its title the state. */

import { type Client, pageClient } from "../client/client";
import { addressOf, type PageServer, pageServer } from "../client/page";
import { PageBoard } from "../lab/page";
import type { Action } from "../state/actions";
import { title } from "../state/title";
import { element } from "../views/element";
import { mount as mountPanel } from "../views/panel";
import { folding } from "../widgets/folded";
import { live } from "../widgets/live";
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
  const acts = { act: page.act.bind(page), order, open, ...folding };
  const update = mountPanel(place, page.board, ever, acts);

  let shown: string | null | undefined;
  let leaving = new AbortController();

  page.watch((board) => {
    update(board);
    tellTitle();
  });
  page.start(ever);
  window.addEventListener("popstate", show);
  show();

  function open(jobId: string | null): void {
    history.pushState(null, "", addressOf(server, jobId));
    show();
    // Where there is room for one of them only, the other is hidden, and the focus with it.
    if (!panel.checkVisibility()) beside.focus();
  }

  /** The job that the address names, or none. */
  function show(): void {
    const jobId = new URL(location.href).searchParams.get("job");
    if (jobId === shown) return;
    shown = jobId;
    leaving.abort();
    leaving = new AbortController();
    beside.replaceChildren(...(jobId === null ? [nothing()] : [back(), card(jobId)]));
    if (jobId === null) delete document.body.dataset["job"];
    else document.body.dataset["job"] = jobId;
    tellTitle();
  }

  function tellTitle(): void {
    const told = title(page.board, shown ?? null);
    if (document.title !== told) document.title = told;
  }

  function card(jobId: string): HTMLElement {
    const place = element("div", {});
    live(place, { jobId, source: "server", job: null, series: {}, asOf: null }, client, leaving.signal);
    return place;
  }

  function back(): HTMLElement {
    const link = element("a", { class: "back", href: addressOf(server, null) }, trans.__("‹ All jobs"));
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      open(null);
    });
    return link;
  }
}

function nothing(): HTMLElement {
  return element("p", { class: "nothing" }, trans.__("A job that is chosen in the list is shown here."));
}

/** Who came by a token has a cookie now: what is copied from the address bar must not hold it. */
function withoutToken(): void {
  const address = new URL(location.href);
  if (!address.searchParams.has("token")) return;
  address.searchParams.delete("token");
  history.replaceState(null, "", address);
}
