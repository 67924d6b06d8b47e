/** Requests to the server's REST interface: credentials, errors, and the routes the views need. */

import type { ActivityUpdate, Event, Job, JobDeleted, Point, Reset, Snapshot } from "../protocol";
import type { PageServer } from "./page";
import type { Cursor } from "./transport";

/** Answered with something else than what was asked for. `status` is 0 when nothing answered at all. */
export class RequestFailed extends Error {
  readonly status: number;
  /** The body as the server sent it, where that was JSON. */
  readonly answer: unknown;

  constructor(status: number, message: string, answer: unknown = undefined) {
    super(message);
    this.name = "RequestFailed";
    this.status = status;
    this.answer = answer;
  }
}

/** Whether somebody is signed out, or may not: asking again is no use. */
export function isForbidden(error: unknown): boolean {
  return error instanceof RequestFailed && (error.status === 401 || error.status === 403);
}

export interface JobsAnswer {
  epoch: string;
  head: number;
  jobs: Job[];
  /** Where no job has the id that was asked for: what was told of those that had it. */
  deleted?: JobDeleted[];
}

export interface JobAnswer {
  epoch: string;
  head: number;
  job: Job;
}

export interface MetricsAnswer {
  job_id: string;
  epoch: string;
  head: number;
  series: Record<string, { count: number; points: Point[] }>;
}

export interface ActivityAnswer {
  epoch: string;
  head: number;
  activity: ActivityUpdate[];
}

export interface StatusAnswer {
  version: string;
  epoch: string;
  head: number;
  root_dir: string;
}

export interface SystemAnswer {
  /** By the figure's name, percent. */
  gauges: Record<string, { warning: number; critical: number }>;
  /** Figures of the last minutes, oldest first. */
  history: { time: string; cpu_percent: number | null; memory_percent: number | null; disk_percent: number | null }[];
}

export interface LogsAnswer {
  job_id: string;
  total: number;
  first: number;
  lines: string[];
}

export interface EventsAnswer {
  epoch: string;
  head: number;
  prev: number;
  events: Event[];
  snapshot: Snapshot | null;
  reset: Reset | null;
  /** Of each kind of which only the newest matters, what came after the `rev` asked with. */
  latest: Record<string, Event>;
  rev: number;
}

/** Long enough for a busy server, short enough to notice one that is gone. */
const PATIENCE_MS = 15_000;

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** How a question gets to the server and its answer back: parsed, or as a `RequestFailed`. */
export type Ask = (
  method: Method,
  path: string,
  query: Record<string, string>,
  signal: AbortSignal | undefined,
  more: Record<string, string>,
  body: object,
) => Promise<unknown>;

export class Rest {
  readonly #way: Ask;

  /** Questions go by http, unless there is another way. */
  constructor(server: PageServer | Ask) {
    this.#way = typeof server === "function" ? server : http(server);
  }

  /** The newest first. */
  jobs(limit: number, signal?: AbortSignal): Promise<JobsAnswer> {
    return this.ask("GET", "jobs", { limit }, signal);
  }

  /**
   * Null when the server knows no such job, what was told of one that was deleted: a question without an error, which
   * browsers would log.
   */
  async findJob(id: string, signal?: AbortSignal): Promise<JobAnswer | JobDeleted | null> {
    const answer = await this.ask<JobsAnswer>("GET", "jobs", { id }, signal);
    const job = answer.jobs.find((one) => one.job_id === id);
    if (job) return { epoch: answer.epoch, head: answer.head, job };
    return answer.deleted?.find((one) => one.job_id === id) ?? null;
  }

  /** Without `buckets` every point is sent; with them, those of `part` alone, from its first step to its last. */
  getMetrics(id: string, buckets?: number, signal?: AbortSignal, part?: { from: number; to: number }): Promise<MetricsAnswer> {
    return this.ask("GET", `jobs/${encodeURIComponent(id)}/metrics`, { buckets, ...part }, signal);
  }

  /** Rows of the feed, the newest first. */
  activity(limit: number, signal?: AbortSignal): Promise<ActivityAnswer> {
    return this.ask("GET", "activity", { limit }, signal);
  }

  system(signal?: AbortSignal): Promise<SystemAnswer> {
    return this.ask("GET", "system", {}, signal);
  }

  logs(id: string, tail?: number, signal?: AbortSignal): Promise<LogsAnswer> {
    return this.ask("GET", `jobs/${encodeURIComponent(id)}/logs`, { tail }, signal);
  }

  status(signal?: AbortSignal): Promise<StatusAnswer> {
    return this.ask("GET", "status", {}, signal);
  }

  /** A `JobSpec`; `key` names this submission: sent twice, it is one job. */
  submit(spec: object, key: string): Promise<Job> {
    return this.ask("POST", "jobs", {}, undefined, { "Idempotency-Key": key }, spec);
  }

  stop(id: string): Promise<Job> {
    return this.ask("POST", `jobs/${encodeURIComponent(id)}/stop`, {});
  }

  /** `key` names this attempt: asked for twice, it is one. */
  rerun(id: string, key: string): Promise<Job> {
    return this.ask("POST", `jobs/${encodeURIComponent(id)}/rerun`, {}, undefined, { "Idempotency-Key": key });
  }

  remove(id: string): Promise<JobDeleted> {
    return this.ask("DELETE", `jobs/${encodeURIComponent(id)}`, {});
  }

  pause(id: string): Promise<Job> {
    return this.ask("POST", `jobs/${encodeURIComponent(id)}/pause`, {});
  }

  resume(id: string): Promise<Job> {
    return this.ask("POST", `jobs/${encodeURIComponent(id)}/resume`, {});
  }

  /** Hear no more of a rule of alerts about this job. */
  mute(id: string, rule: string): Promise<Job> {
    return this.ask("POST", `jobs/${encodeURIComponent(id)}/mute`, {}, undefined, {}, { rule });
  }

  /** Without `rev`, nothing of which only the newest matters. */
  events(cursor: Cursor | null, rev?: number, signal?: AbortSignal): Promise<EventsAnswer> {
    return this.ask("GET", "events", { since: cursor?.since, epoch: cursor?.epoch, rev }, signal);
  }

  /** For nouns whose routes are in a file of their own. Answered without a body, it is null. */
  async ask<Answer>(
    method: Method,
    path: string,
    query: Record<string, string | number | undefined> = {},
    signal?: AbortSignal,
    more: Record<string, string> = {},
    body: object = {},
  ): Promise<Answer> {
    const told = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
    return (await this.#way(method, path, Object.fromEntries(told), signal, more, body)) as Answer;
  }
}

function http(server: PageServer): Ask {
  return async (method, path, query, signal, more, body) => {
    const url = new URL(`mlops/api/${path}`, server.baseUrl);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const late = AbortSignal.timeout(PATIENCE_MS);
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(url, {
        method,
        headers: { ...headers(server, method), ...more },
        credentials: "same-origin",
        cache: "no-store",
        signal: signal ? AbortSignal.any([signal, late]) : late,
        ...(method === "GET" ? {} : { body: JSON.stringify(body) }),
      });
      answer = response.status === 204 ? null : await parsed(response);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw new RequestFailed(0, error instanceof Error ? error.message : String(error));
    }
    if (!response.ok) throw new RequestFailed(response.status, reason(answer, response), answer);
    // A proxy's or a hub's page (signed out, server asleep) comes with status 200, too.
    if (answer === undefined) throw new RequestFailed(0, `${response.status} without JSON`);
    return answer;
  };
}

/** A file of the server's, however long it takes: some are made when they are asked for. */
export async function fileOf(server: PageServer, path: string, signal: AbortSignal): Promise<Blob> {
  let response: Response;
  let answer: unknown;
  try {
    response = await fetch(new URL(`mlops/api/${path}`, server.baseUrl), { headers: headers(server, "GET"), credentials: "same-origin", cache: "no-store", signal });
    if (response.ok) return await response.blob();
    answer = await parsed(response);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw new RequestFailed(0, error instanceof Error ? error.message : String(error));
  }
  throw new RequestFailed(response.status, reason(answer, response), answer);
}

/** What makes a request ours: who asks, that it is JSON, and that no foreign page sent it. */
export function headers(server: PageServer, method: Method): Record<string, string> {
  const told: Record<string, string> = { Accept: "application/json" };
  if (server.token) told["Authorization"] = `token ${server.token}`;
  if (method !== "GET") told["Content-Type"] = "application/json";
  // JupyterHub wants it with what scripts read by cookie, too.
  const xsrf = /(?:^|;\s*)_xsrf=([^;]*)/.exec(document.cookie)?.[1];
  if (xsrf) told["X-XSRFToken"] = xsrf;
  return told;
}

async function parsed(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reason(body: unknown, response: Response): string {
  if (typeof body === "object" && body !== null && "message" in body && typeof body.message === "string") {
    return body.message;
  }
  return `${response.status} ${response.statusText}`.trim();
}
