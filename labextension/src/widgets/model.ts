/** A model that lives: its record and endpoint as the page knows them, its numbers asked for, what is wished for done. */

import type { Client } from "../client/client";
import type { PageServer } from "../client/page";
import { fileOf, RequestFailed } from "../client/rest";
import type { PageBoard } from "../lab/page";
import type { Event } from "../protocol";
import { type Answer, type ExampleRow, type Fault, type ModelSight, type Monitoring, type Tab, TABS } from "../state/modelcard";
import { endpointOf } from "../state/models";
import { mount, type ModelActs } from "../views/modelcard";
import { trans } from "../words";
import { saveAs } from "./csv";

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
  server: PageServer,
  signal: AbortSignal,
  part: string | null,
): void {
  const { rest } = client;
  let sight: ModelSight = {
    ...{ id, models: null, endpoint: null, monitoring: null, differs: [], example: null, history: null, answer: null, faults: [], busy: null, trouble: null },
    ...{ baseUrl: server.baseUrl.href, now: Date.now() },
  };
  const acts: ModelActs = {
    open,
    deploy: (modelId) => void wish("deploy", `models/${modelId}/deploy`),
    undeploy: (modelId) => void wish("undeploy", `models/${modelId}/undeploy`),
    rollback: (endpointId) => void wish("rollback", `endpoints/${endpointId}/rollback`),
    predict: (row) => void predict(row),
    promote: (alias) => order("PATCH", { aliases: { set: [alias] } }),
    demote: (alias) => order("PATCH", { aliases: { remove: [alias] } }),
    retire: (retired) => order("PATCH", { retired }),
    remove: () => order("DELETE", {}),
    save: async (model, file) => saveAs(await fileOf(server, `models/${id}/${file === "skops" ? "file" : file}`, signal), `${model.name}-v${model.version}.${file}`),
  };
  const update = mount(el, sight, signal, acts, TABS.find((one): one is Tab => one === part));
  let asked = false;
  let numbers: ReturnType<typeof setTimeout> | undefined;
  signal.addEventListener("abort", () => clearTimeout(numbers));

  page.watch(known, signal);
  page.listen((events) => {
    const mine = events.some((event) => event.type === "prediction_volume" && event.model_id === sight.endpoint?.model_id);
    if (mine) soon(PAUSE_MS);
    if (events.some((event) => isAbout(event, id))) void card();
  }, signal);
  known();

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
    if (model && !asked) {
      asked = true;
      void card();
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

  /** What only its card tells: a row it was trained on, what became of it, and which packages are others here. */
  async function card(): Promise<void> {
    try {
      const { differs, example, history } = await rest.ask<Pick<ModelSight, "differs" | "example" | "history">>("GET", `models/${id}/card`, {}, signal);
      change({ differs, example, history });
    } catch (error) {
      // It may be gone, and is asked again with the next of its events.
      if (!signal.aborted && !(error instanceof RequestFailed)) throw error;
    }
  }

  async function order(method: "PATCH" | "DELETE", body: object): Promise<void> {
    await rest.ask(method, `models/${id}`, {}, signal, {}, body);
    page.refresh("models", "endpoints");
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

/** An alias leaves one for another. */
function isAbout(event: Event, id: string): boolean {
  if (event.type === "model_aliased") return event.model_id === id || event.previous === id;
  return (event.type === "model_status" || event.type === "model_deployed") && event.model_id === id;
}

function faultsIn(error: RequestFailed): Fault[] {
  const { fields } = (error.answer ?? {}) as { fields?: Fault[] };
  return fields && fields.length > 0 ? fields : [{ column: null, message: error.message || trans.__("No answer.") }];
}
