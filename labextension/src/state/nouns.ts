/** What an id is of, as people and addresses call it. */

import type { Board } from "./board";
import { shortId } from "./job";
import { label } from "./models";

const NOUNS = { j: "job", d: "dataset", m: "model", p: "pipeline" } as const;
export const NOUN_NAMES = Object.values(NOUNS);
export type Noun = (typeof NOUN_NAMES)[number];

/** Null for what has no place of its own: an upload, the machine. */
export function nounOf(id: string): Noun | null {
  return NOUNS[id.split("-", 1)[0] as keyof typeof NOUNS] ?? null;
}

/** What a dataset, a model or a pipeline is called; the beginning of its id while nobody has said. */
export function nameOf({ assets }: Pick<Board, "assets">, id: string): string {
  const model = assets.models?.find((one) => one.model_id === id);
  const named = [...(assets.datasets ?? []), ...(assets.pipelines ?? [])].find((one) => one.id === id);
  return named?.name ?? (model && label(model)) ?? shortId(id);
}
