/** Datasets as rows: the newest version of each, in the few words of the panel. */

import { trans } from "../words";
import type { Dataset, DatasetVersion } from "./assets";
import { ago } from "./figures";
import type { Entry } from "./entries";
import { matching } from "./entries";
import { result } from "./uploads";

export function newest(dataset: Dataset): DatasetVersion | undefined {
  return dataset.versions.at(-1);
}

export function entries(datasets: readonly Dataset[], filter: string, now: number): Entry[] {
  return matching(datasets, filter, (one) => `${one.name} ${one.id} ${newest(one)?.filename ?? ""}`).map((dataset) => {
    const version = newest(dataset);
    return {
      id: dataset.id,
      mark: "table",
      word: trans.__("dataset"),
      name: dataset.name,
      figures: version ? `v${version.version}` : "",
      note: version ? [result(version), ago(version.created, now)].join(" · ") : "",
    };
  });
}

/** The line that trains on it; of an older version by its number. */
export function trainingLine(dataset: Dataset, version: number, target: string | null): string {
  const reference = version === newest(dataset)?.version ? dataset.name : `${dataset.name}@${version}`;
  return `mlops.train(${JSON.stringify(reference)}, target=${JSON.stringify(target ?? "…")})`;
}
