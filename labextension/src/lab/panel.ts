/** JupyterLab's places for the page's state: the side panel, a tab a job, and the item of the status bar. */

import { Widget } from "@lumino/widgets";
import { pageClient } from "../client/client";
import type { Action } from "../state/actions";
import { shortId } from "../state/job";
import { summary } from "../state/rows";
import { mount as mountPanel, type PanelActs } from "../views/panel";
import { folding } from "../widgets/folded";
import { live } from "../widgets/live";
import { trans } from "../words";
import { icon } from "./icon";
import type { PageBoard } from "./page";

export const PANEL_ID = "mlops-panel";
const STATUS_MS = 1_000;

export class Panel extends Widget {
  readonly #leaving = new AbortController();

  constructor(page: PageBoard, here: Pick<PanelActs, "open" | "menu" | "insert" | "settings" | "upload" | "pipelines">) {
    super();
    this.id = PANEL_ID;
    this.title.icon = icon;
    this.title.caption = trans.__("mlops: jobs and the machine");
    // Its own scroll box: a shadow root cannot be one for JupyterLab's panel.
    this.node.style.overflow = "auto";
    const place = document.createElement("div");
    place.style.minHeight = "100%";
    this.node.append(place);
    const order = (jobId: string, action: Action) => void page.order(jobId, action);
    const acts = { act: page.act.bind(page), order, ...folding, ...here };
    const update = mountPanel(place, page.board, this.#leaving.signal, acts);
    page.watch((board) => {
      if (this.isVisible) update(board);
    }, this.#leaving.signal);
    this.#shown = () => update(page.board);
  }

  readonly #shown: () => void;

  protected override onAfterShow(): void {
    this.#shown();
  }

  override dispose(): void {
    this.#leaving.abort();
    super.dispose();
  }
}

/** One job in a tab of its own. */
export class JobTab extends Widget {
  readonly jobId: string;
  readonly #leaving = new AbortController();

  constructor(jobId: string, page: PageBoard) {
    super();
    this.jobId = jobId;
    this.id = `mlops-job-${jobId}`;
    const name = () => {
      this.title.label = page.board.jobs.get(jobId)?.name ?? shortId(jobId);
    };
    name();
    // A tab that is restored is there before anything is known.
    page.watch(name, this.#leaving.signal);
    this.title.caption = jobId;
    this.title.icon = icon;
    this.title.closable = true;
    this.node.style.overflow = "auto";
    this.node.style.padding = "8px";
    const place = document.createElement("div");
    this.node.append(place);
    live(place, { jobId, source: "server", job: null, series: {}, asOf: null }, pageClient(), this.#leaving.signal);
  }

  override dispose(): void {
    this.#leaving.abort();
    super.dispose();
  }
}

/** A real button: JupyterLab's own items are none, and cannot be reached by keyboard. */
export class StatusItem extends Widget {
  readonly #leaving = new AbortController();

  constructor(page: PageBoard, open: () => void) {
    super();
    this.addClass("mlops-status");
    const button = document.createElement("button");
    button.type = "button";
    button.dataset["testid"] = "mlops-status-item";
    button.title = trans.__("mlops: open the panel");
    // As JupyterLab's own items look: it styles them by classes that take no button.
    button.style.cssText =
      "all: unset; box-sizing: border-box; padding: 0 6px; height: 100%; font: inherit; font-size: 12px; line-height: 24px; cursor: pointer; color: var(--jp-ui-font-color1); outline-offset: -2px;";
    button.addEventListener("focus", () => {
      if (button.matches(":focus-visible")) button.style.outline = "2px solid var(--jp-brand-color1)";
    });
    button.addEventListener("blur", () => {
      button.style.outline = "none";
    });
    button.addEventListener("click", open);
    this.node.append(button);
    let said = 0;
    let later: ReturnType<typeof setTimeout> | undefined;
    const tell = () => {
      later = undefined;
      said = Date.now();
      const { text, trouble } = summary(page.board);
      const mark = trouble ? "✕ " : text === "mlops" ? "" : "◐ ";
      if (button.textContent !== `${mark}${text}`) button.textContent = `${mark}${text}`;
    };
    tell();
    page.watch(() => {
      later ??= setTimeout(tell, Math.max(said + STATUS_MS - Date.now(), 0));
    }, this.#leaving.signal);
    this.#leaving.signal.addEventListener("abort", () => clearTimeout(later));
  }

  override dispose(): void {
    this.#leaving.abort();
    super.dispose();
  }
}
