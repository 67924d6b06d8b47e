/** The Jupyter server a page came from, as its configuration tag tells; null on pages of other front ends. */

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

/** The address of the page of `jupyter mlops` on that server, with a job chosen or none. */
export function addressOf(server: PageServer, jobId: string | null): string {
  const address = new URL("mlops", server.baseUrl);
  if (jobId !== null) address.searchParams.set("job", jobId);
  return address.href;
}
