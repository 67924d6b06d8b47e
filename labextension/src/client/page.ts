/** The Jupyter server a page came from, as its configuration tag tells; null on pages of other front ends. */

import { NOUN_NAMES, nounOf } from "../state/nouns";

export interface PageServer {
  /** Absolute, ends with a slash; a prefix with escapes (`/user/x%20y/`) stays escaped. */
  baseUrl: URL;
  /** Empty when the page is signed in by cookie alone. */
  token: string;
}

export function pageServer(page: Document = document): PageServer | null {
  const tag = page.getElementById("jupyter-config-data");
  if (!tag?.textContent) return null;
  let config: { baseUrl?: unknown; token?: unknown };
  try {
    config = JSON.parse(tag.textContent);
  } catch {
    return null;
  }
  if (typeof config.baseUrl !== "string") return null;
  const path = config.baseUrl.endsWith("/") ? config.baseUrl : `${config.baseUrl}/`;
  return {
    baseUrl: new URL(path, page.location.href),
    token: typeof config.token === "string" ? config.token : "",
  };
}

/** The address of the page of `jupyter mlops` on that server, with a job (or another noun, or a part of it) chosen or none. */
export function addressOf(server: PageServer, id: string | null, part: string | null = null): string {
  const address = new URL("mlops", server.baseUrl);
  if (id !== null) address.searchParams.set(nounOf(id) ?? "job", id);
  if (part !== null) address.searchParams.set("part", part);
  return address.href;
}

/** What an address of that page has chosen, and which part of it. */
export function chosenIn(address: URL): { id: string | null; part: string | null } {
  const found = NOUN_NAMES.map((noun) => address.searchParams.get(noun));
  return { id: found.find((id) => id !== null) ?? null, part: address.searchParams.get("part") };
}
