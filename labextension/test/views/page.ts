/** A card on a page, as a test sees it. */

import type { Job } from "../../src/protocol";
import type { Action } from "../../src/state/actions";
import { type Card, freshCard, type Happening, reduce, type Source } from "../../src/state/card";
import { type Link, NO_LINK } from "../../src/state/connection";
import { mount } from "../../src/views/train";
import { aJob, JOB_ID } from "../builders";

export const LIVE: Link = { ...NO_LINK, phase: "connected", transport: "websocket", rtt: 0.038, heardAt: 0 };

export class Shown {
  actions: Action[] = [];
  leaving = new AbortController();
  el = document.createElement("div");
  card: Card;
  #update: (next: Card) => void;

  constructor(job: Partial<Job> | null, source: Source = "server", link: Partial<Link> = {}) {
    document.body.replaceChildren(this.el);
    this.card = freshCard(JOB_ID, source, -60_000);
    if (job) this.card = reduce(this.card, { kind: "record", at: 0, job: aJob({ start_time: null, ...job }) });
    this.card = reduce(this.card, { kind: "link", at: 0, link: { ...LIVE, ...link } });
    this.#update = mount(this.el, this.card, this.leaving.signal, (action) => this.actions.push(action));
  }

  happen(...happenings: Happening[]): this {
    this.card = happenings.reduce(reduce, this.card);
    this.#update(this.card);
    return this;
  }

  get root(): ShadowRoot {
    return this.el.shadowRoot as ShadowRoot;
  }

  find(testid: string): HTMLElement {
    const found = this.root.querySelector<HTMLElement>(`[data-testid="mlops-${testid}"]`);
    if (!found) throw new Error(`no ${testid} in ${this.root.textContent}`);
    return found;
  }

  /** Its words, or null while it is not shown. */
  text(testid: string): string | null {
    const found = this.root.querySelector<HTMLElement>(`[data-testid="mlops-${testid}"]`);
    if (!found || found.closest("[hidden]")) return null;
    return (found.textContent ?? "").replaceAll("\u202f", " ");
  }

  click(testid: string): void {
    this.find(testid).click();
  }
}
