/** Models in words: one row a name in the panel, and what its states are called. */

import { trans } from "../words";
import type { Assets, Endpoint, Model } from "./assets";
import { type Entry, matching } from "./entries";
import { ago, count, figure } from "./figures";

const MARKS = { registered: "pending", deploying: "starting", deployed: "live", failed: "failed", retired: "cancelled" } as const;

export function statusWord(status: Model["status"]): string {
  const words: Record<Model["status"], string> = {
    registered: trans.__("registered"),
    deploying: trans.__("deploying"),
    deployed: trans.__("deployed"),
    failed: trans.__("failed"),
    retired: trans.__("retired"),
  };
  return words[status];
}

export function statusMark(status: Model["status"]): Entry["mark"] {
  return MARKS[status];
}

/** `digits-mlp v4`. */
export function label(model: Pick<Model, "name" | "version">): string {
  return `${model.name} v${model.version}`;
}

/** The versions of a name, the newest first. */
export function versionsOf(models: readonly Model[] | null, name: string): Model[] {
  return (models ?? []).filter((one) => one.name === name).sort((one, other) => other.version - one.version);
}

export function endpointOf(endpoints: readonly Endpoint[] | null, name: string): Endpoint | null {
  return endpoints?.find((one) => one.name === name) ?? null;
}

/** Of each name the version that answers or is about to, else the newest that is not retired, else the newest. */
export function foremost(versions: readonly Model[]): Model | undefined {
  const of = (...statuses: Model["status"][]) => versions.find(({ status }) => statuses.includes(status));
  return of("deployed") ?? of("deploying") ?? of("registered", "failed") ?? versions[0];
}

export function entries({ models, volumes }: Pick<Assets, "models" | "volumes">, filter: string, now: number): Entry[] {
  const names = [...new Set((models ?? []).map((one) => one.name))];
  const found = matching(names, filter, (name) =>
    versionsOf(models, name).map((one) => `${one.name} ${one.model_id} ${one.estimator ?? ""} ${one.aliases.join(" ")} ${one.status}`).join(" "),
  );
  return found.flatMap((name) => {
    const versions = versionsOf(models, name);
    const model = foremost(versions);
    if (!model) return [];
    const total = volumes.get(model.model_id)?.total;
    const note = [
      model.aliases.join(", "),
      model.score === null ? "" : `${model.metric ?? trans.__("score")} ${figure(model.score)}`,
      total === undefined ? "" : predictions(total),
      versions.length > 1 ? trans._n("%1 version", "%1 versions", versions.length) : "",
      ago(model.created, now),
    ];
    return [
      {
        id: model.model_id,
        mark: statusMark(model.status),
        word: statusWord(model.status),
        name,
        figures: `v${model.version} ${statusWord(model.status)}`,
        note: note.filter(Boolean).join(" · "),
      },
    ];
  });
}

export function predictions(total: number): string {
  return trans._n("%1 prediction", "%1 predictions", total).replace(String(total), count(total));
}
