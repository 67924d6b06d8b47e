/** The server's pipelines, for views: read, run, changed, deleted and brought back. */

import type { Dataset } from "../state/assets";
import type { Difference, Pipeline, Pipelines } from "../state/pipelines";
import { freshKey } from "./keys";
import type { Rest } from "./rest";

/** `baseUrl`: of the server, where the page reaches it. */
export function pipelinesOf(rest: Rest, baseUrl: URL | null): Pipelines {
  const at = (one: Pick<Pipeline, "id">) => `pipelines/${encodeURIComponent(one.id)}`;
  return {
    datasets: async () => (await rest.ask<{ datasets: Dataset[] }>("GET", "datasets")).datasets,
    versions: async (one) => (await rest.ask<Pipeline>("GET", at(one))).versions ?? [],
    compare: (one, from, to) => rest.ask<Difference[]>("GET", `${at(one)}/compare`, { from, to }),
    run: async (one) => {
      const key = { "Idempotency-Key": freshKey() };
      return (await rest.ask<{ job_id: string }>("POST", `${at(one)}/run`, {}, undefined, key, { version: one.version })).job_id;
    },
    save: (seen, recipe, name = seen.name) => rest.ask("PUT", at(seen), {}, undefined, { "If-Match": `"${seen.version}"` }, { recipe, name }),
    keep: (job_id, name) => rest.ask("POST", "pipelines", {}, undefined, {}, { name, job_id }),
    duplicate: (one, name) => rest.ask("POST", `${at(one)}/duplicate`, {}, undefined, {}, { name, version: one.version }),
    remove: async (one) => void (await rest.ask("DELETE", at(one), {})),
    restore: async (one) => void (await rest.ask("POST", `${at(one)}/restore`, {})),
    script: (one) => baseUrl && new URL(`mlops/api/${at(one)}/script?version=${one.version}`, baseUrl).href,
  };
}
