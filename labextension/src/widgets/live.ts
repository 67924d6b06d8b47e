/**
 * A card that lives: what a host gives (a record, series, perhaps the page's client) becomes states, states become
 * a view, and what the user asks for is done. Used alike by the anywidget and JupyterLab's renderer.
 */

import type { Client, Delivery } from "../client/client";
import { freshKey } from "../client/keys";
import { addressOf, pageServer } from "../client/page";
import { pipelinesOf } from "../client/pipelines";
import { isForbidden, RequestFailed } from "../client/rest";
import { wait } from "../client/stream";
import { follow } from "../lab/links";
import type { Job } from "../protocol";
import { type Action, refused, unheard } from "../state/actions";
import { type Card, freshCard, type Happening, type KeptSeries, reduce, type Source } from "../state/card";
import { endedWithoutResult, isOver } from "../state/job";
import { copy } from "../views/clipboard";
import { mount } from "../views/train";
import { trans } from "../words";
import { save } from "./csv";

export interface Given {
  jobId: string;
  source: Source;
  job: Job | null;
  series: KeptSeries;
  asOf: string | null;
}

type Told = Happening extends infer One ? (One extends Happening ? Omit<One, "at"> : never) : never;

const BUCKETS = 300;
const LOG_LINES = 200;
const TICK_MS = 1_000;
/** A kernel that is idle has answered by then. */
const HEARD_MS = 2_000;
/** Holes come in swarms while a slow client catches up: one question answers many. */
const REFILL_MS = 2_000;

/**
 * Returns what takes further words of the host. Everything ends with `signal`. A job that was run again from its card
 * leads on to the next attempt, also after a reload.
 */
export function live(el: HTMLElement, given: Given, client: Client | null, signal: AbortSignal): (next: Given) => void {
  let leaving = new AbortController();
  signal.addEventListener("abort", () => leaving.abort());
  const first = attempt(el, given, client, leaving.signal, lead);
  let tell = first;

  function lead(job: Job): void {
    leaving.abort();
    leaving = new AbortController();
    const next: Given = { jobId: job.job_id, source: "server", job, series: {}, asOf: null };
    tell = attempt(el, next, client, leaving.signal, lead);
  }

  return (next) => {
    if (tell === first) tell(next);
  };
}

function attempt(
  el: HTMLElement,
  given: Given,
  client: Client | null,
  signal: AbortSignal,
  lead: (job: Job) => void,
): (next: Given) => void {
  el.dataset["mlopsJob"] = given.jobId;
  let card: Card = { ...freshCard(given.jobId, given.source, Date.now()), asOf: given.asOf };
  if (given.job) card = reduce(card, { kind: "record", at: Date.now(), job: given.job, series: given.series });
  const update = mount(el, card, signal, act);
  let drawing = false;

  function happen(told: Told): void {
    if (signal.aborted) return;
    card = reduce(card, { ...told, at: Date.now() } as Happening);
    if (drawing) return;
    drawing = true;
    // One drawing for all that comes in one frame.
    queueMicrotask(() => {
      drawing = false;
      if (!signal.aborted) update(card);
    });
  }

  // One more attempt at this job, however often the button is pressed.
  const key = freshKey();
  const listening = new AbortController();
  signal.addEventListener("abort", () => listening.abort());
  let loaded = false;
  let loading = false;
  let subscribed = false;
  /** Questions in a row that came to nothing, and whether the last was refused: then asking again is no use. */
  let failed = 0;
  let forbidden = false;
  let looks = 0;
  let refill: ReturnType<typeof setTimeout> | undefined;
  signal.addEventListener("abort", () => clearTimeout(refill));

  async function load(from: Client): Promise<void> {
    if (loading) return;
    loading = true;
    happen({ kind: "asked" });
    try {
      const job = await from.rest.findJob(given.jobId, signal);
      if (!job || !("job" in job)) {
        // Of another server, or deleted: what was given stays, and there is nothing to listen to.
        if (job) happen({ kind: "deleted", by: job.by });
        else happen({ kind: "stranger", source: given.source === "saved" ? "saved" : "kernel" });
        listening.abort();
        return;
      }
      const next = await follower(from, job.job);
      if (next) {
        lead(next);
        return;
      }
      const metrics = await from.rest.getMetrics(given.jobId, BUCKETS, signal);
      loaded = true;
      failed = 0;
      forbidden = false;
      happen({ kind: "answered", job, metrics });
      if (endedWithoutResult(job.job)) listen(from);
      else if (isOver(job.job)) listening.abort();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RequestFailed)) throw error;
      happen({ kind: "unanswered" });
      forbidden = isForbidden(error);
      // A notebook has many cards, and they all lose the server at once.
      if (!forbidden) later(from, wait(++failed, Math.random) * 1000);
    } finally {
      loading = false;
    }
  }

  /** The attempt after one that ended without a result; null when there is none, or it was deleted. */
  async function follower(from: Client, job: Job): Promise<Job | null> {
    if (!endedWithoutResult(job) || !job.followed_by) return null;
    const next = await from.rest.findJob(job.followed_by, signal);
    return next && "job" in next ? next.job : null;
  }

  function listen(to: Client): void {
    if (!subscribed) to.subscribe((delivery) => hear(to, delivery), listening.signal);
    subscribed = true;
  }

  function hear(from: Client, delivery: Delivery): void {
    const follower = card.job?.followed_by;
    switch (delivery.kind) {
      case "link":
        happen({ kind: "link", link: delivery.link });
        // The next connection may be that of a user who has signed in.
        if (delivery.link.phase !== "connected") forbidden = false;
        if (loaded || forbidden) return;
        if (delivery.link.phase === "connected" && refill === undefined) void load(from);
        else if (delivery.link.phase === "waiting" && !loading) happen({ kind: "unanswered" });
        return;
      case "reset":
        loaded = false;
        happen({ kind: "reset" });
        return;
      case "snapshot": {
        const job = delivery.snapshot.jobs.find((one) => one.job_id === given.jobId);
        if (job) happen({ kind: "record", job, head: delivery.snapshot.head });
        if (!loaded || card.job?.followed_by !== follower) void load(from);
        return;
      }
      case "latest":
        happen(delivery);
        return;
      case "events":
        happen({ kind: "events", events: delivery.events });
        if (card.deleted !== null) listening.abort();
        else if (delivery.hole) later(from, REFILL_MS);
        else if (!card.job || !isOver(card.job) || !loaded) return;
        else if (!endedWithoutResult(card.job)) listening.abort();
        else if (card.job.followed_by !== follower) void load(from);
        return;
    }
  }

  function later(from: Client, ms: number): void {
    if (refill !== undefined || listening.signal.aborted) return;
    refill = setTimeout(() => {
      refill = undefined;
      // An answer on its way may be older than the hole.
      if (loading) later(from, ms);
      else void load(from);
    }, ms);
  }

  if (client) {
    // Until somebody says that the server does not know the job, or cannot be asked, it is taken to go on.
    happen({ kind: "asked" });
    if (card.job && isOver(card.job)) void load(client);
    else listen(client);
    const ticks = setInterval(() => {
      if (!(card.job && isOver(card.job)) && document.visibilityState !== "hidden") happen({ kind: "tick" });
    }, TICK_MS);
    listening.signal.addEventListener("abort", () => clearInterval(ticks));
  }

  function act(action: Action): void {
    if (!client) {
      if (action.do === "csv") save(card, null);
      return;
    }
    if (action.do === "model") {
      const id = card.job?.model_id;
      if (id) showModel(client, id, action.deploy);
      return;
    }
    const tried = (what: () => Promise<string | void>, otherwise: string) => heard(client, action, what, otherwise);
    switch (action.do) {
      case "reconnect":
        client.reconnect();
        return;
      case "use":
        client.use(action.way);
        return;
      case "stop":
        void tried(() => order(client.rest.stop(given.jobId)), refused(action));
        return;
      case "rerun":
        void tried(async () => lead(await client.rest.rerun(given.jobId, key)), refused(action));
        return;
      case "delete":
        void tried(async () => {
          const { by } = await client.rest.remove(given.jobId);
          happen({ kind: "deleted", by });
          listening.abort();
        }, refused(action));
        return;
      case "pause":
        void tried(() => order(client.rest.pause(given.jobId)), refused(action));
        return;
      case "resume":
        void tried(() => order(client.rest.resume(given.jobId)), refused(action));
        return;
      case "mute":
        void tried(() => order(client.rest.mute(given.jobId, action.rule)), refused(action));
        return;
      case "keep":
        void tried(async () => trans.__("Kept as pipeline %1.", (await pipelinesOf(client.rest, null).keep(given.jobId, action.name)).name), refused(action));
        return;
      case "log":
        void tried(async () => {
          const { first, lines } = await client.rest.logs(given.jobId, LOG_LINES, signal);
          happen({ kind: "written", first, lines });
        }, refused(action));
        return;
      case "look": {
        const { from, to } = action;
        const question = ++looks;
        void tried(async () => {
          const { series } = await client.rest.getMetrics(given.jobId, BUCKETS, signal, { from, to });
          // Who looks on meanwhile wants the answer to the last question alone.
          if (question === looks) happen({ kind: "near", from, to, series });
        }, refused(action));
        return;
      }
      case "csv":
        void tried(async () => save(card, (await client.rest.getMetrics(given.jobId, undefined, signal)).series), refused(action));
    }
  }

  /** Where no page of the server can be opened, the line that does it is copied. */
  function showModel(by: Client, id: string, deploy: boolean): void {
    const server = by.link.transport === "relay" ? null : pageServer();
    if (server) {
      follow(addressOf(server, id, deploy ? "deploy" : null));
      return;
    }
    const line = `mlops.model("${id}")${deploy ? ".deploy()" : ""}`;
    void copy(line);
    happen({ kind: "noticed", text: trans.__("Copied: %1", line) });
  }

  /** The answer is the record as it was asked; what came of it may be told before it is here. */
  async function order(answer: Promise<Job>): Promise<void> {
    const head = card.jobHead;
    happen({ kind: "record", job: await answer, head });
  }

  /** What `what` comes to is said, if it is a word. */
  async function heard(by: Client, { do: wish }: Action, what: () => Promise<string | void>, otherwise: string): Promise<void> {
    const late =
      by.link.transport === "relay"
        ? setTimeout(() => happen({ kind: "noticed", text: unheard(wish, given.jobId) }), HEARD_MS)
        : undefined;
    try {
      happen({ kind: "noticed", text: (await what()) ?? null });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RequestFailed)) throw error;
      happen({ kind: "noticed", text: `${otherwise}: ${error.message}` });
    } finally {
      clearTimeout(late);
    }
  }

  return (next) => {
    // The server knows more, and earlier, than a kernel or a file does.
    if (loaded || !next.job || next.jobId !== given.jobId) return;
    happen({ kind: "record", job: next.job, series: next.series });
  };
}
