/** A model that lives: its record and endpoint as the page knows them, its numbers asked for, what is wished for done. */

import type { Client } from "../client/client";
import { RequestFailed } from "../client/rest";
import type { PageBoard } from "../lab/page";
import { type Answer, type Difference, type ExampleRow, type Fault, modelOf, type ModelSight, type Monitoring, type Tab, TABS } from "../state/modelcard";
import { endpointOf } from "../state/models";
import type { Preview } from "../state/preview";
import { mount, type ModelActs } from "../views/modelcard";
import { trans } from "../words";

/** Numbers of a busy endpoint change all the time. */
const PAUSE_MS = 2_000;
/** Those of a quiet one grow old: its rate is of the last minute. */
const AGAIN_MS = 30_000;

export function liveModel(
  el: HTMLElement,
  id: string,
  client: Client,
  page: PageBoard,
  open: ModelActs["open"],
  baseUrl: string,
  signal: AbortSignal,
  part: string | null,
): void {
  const { rest } = client;
  let sight: ModelSight = {
    ...{ id, models: null, endpoint: null, monitoring: null, differs: [], example: null, answer: null, faults: [], busy: null, trouble: null },
    ...{ baseUrl, now: Date.now() },
  };
  const acts: ModelActs = {
    open,
    deploy: (modelId) => void wish("deploy", `models/${modelId}/deploy`),
    undeploy: (modelId) => void wish("undeploy", `models/${modelId}/undeploy`),
    rollback: (endpointId) => void wish("rollback", `endpoints/${endpointId}/rollback`),
    predict: (row) => void predict(row),
  };
  const update = mount(el, sight, signal, acts, TABS.find((one): one is Tab => one === part));
  let exampled = false;
  let numbers: ReturnType<typeof setTimeout> | undefined;
  signal.addEventListener("abort", () => clearTimeout(numbers));

  page.watch(known, signal);
  page.listen((events) => {
    const mine = events.some((event) => event.type === "prediction_volume" && event.model_id === sight.endpoint?.model_id);
    if (mine) soon(PAUSE_MS);
  }, signal);
  known();
  void compare();

  function change(told: Partial<ModelSight>): void {
    if (signal.aborted) return;
    sight = { ...sight, ...told };
    update(sight);
  }

  function known(): void {
    const { assets, now } = page.board;
    const before = sight.endpoint;
    const model = assets.models?.find((one) => one.model_id === id);
    const endpoint = model ? endpointOf(assets.endpoints, model.name) : null;
    change({ models: assets.models, endpoint, now });
    if (endpoint && (before?.model_id !== endpoint.model_id || before?.status !== endpoint.status)) soon(0);
    if (model && assets.datasets && !exampled) {
      exampled = true;
      void example();
    }
  }

  function soon(ms: number): void {
    clearTimeout(numbers);
    numbers = setTimeout(() => void monitor(), ms);
  }

  async function monitor(): Promise<void> {
    const { endpoint } = sight;
    // Of nothing that answers there are no numbers.
    if (!endpoint?.model_id) return change({ monitoring: null });
    try {
      change({ monitoring: await rest.ask<Monitoring>("GET", `endpoints/${endpoint.endpoint_id}/monitoring`, { hours: 24 }, signal) });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RequestFailed)) throw error;
    }
    soon(AGAIN_MS);
  }

  /** With what the server has. */
  async function compare(): Promise<void> {
    try {
      change(await rest.ask<{ differs: Difference[] }>("GET", `models/${id}/card`, {}, signal).then(({ differs }) => ({ differs })));
    } catch (error) {
      // Without an answer nothing is claimed.
      if (!signal.aborted && !(error instanceof RequestFailed)) throw error;
    }
  }

  /** The first row of the data it was made of, if the server has that as a dataset. */
  async function example(): Promise<void> {
    const used = modelOf(sight)?.provenance.dataset;
    const dataset = page.board.assets.datasets?.find((one) => one.id === used?.id);
    const version = dataset?.versions.find((one) => one.version === used?.version);
    if (!dataset || !version) return;
    try {
      const { columns, rows } = await rest.ask<Preview>("GET", `datasets/${dataset.id}/preview`, { version: version.version }, signal);
      const [row] = rows;
      if (row) change({ example: Object.fromEntries(columns.map(({ name }, at) => [name, row[at] ?? null])) });
    } catch (error) {
      // Without one the form is empty.
      if (!signal.aborted && !(error instanceof RequestFailed)) throw error;
    }
  }

  async function wish(busy: NonNullable<ModelSight["busy"]>, path: string): Promise<void> {
    change({ busy, trouble: null });
    try {
      await rest.ask("POST", path, {}, signal);
      change({ busy: null });
      // What came of it is told by events; its record is there at once.
      page.refresh("models", "endpoints");
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RequestFailed)) throw error;
      change({ busy: null, trouble: error.message });
    }
  }

  async function predict(row: ExampleRow): Promise<void> {
    change({ busy: "predict", faults: [], answer: null });
    try {
      change({ answer: await rest.ask<Answer>("POST", `models/${id}/predict`, {}, signal, {}, { row }), busy: null });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RequestFailed)) throw error;
      change({ faults: faultsIn(error), busy: null });
    }
  }
}

function faultsIn(error: RequestFailed): Fault[] {
  const { fields } = (error.answer ?? {}) as { fields?: Fault[] };
  return fields && fields.length > 0 ? fields : [{ column: null, message: error.message || trans.__("No answer.") }];
}
