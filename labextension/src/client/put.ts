/** Sends a part of a file: by XMLHttpRequest, since `fetch` does not tell how far it is. */

import type { PageServer } from "./page";
import { headers, RequestFailed } from "./rest";

/** Resolves to the answer, or rejects with a `RequestFailed`. `moved` hears how many bytes of the part have left. */
export type Put = (
  path: string,
  offset: number,
  part: Blob,
  moved: (bytes: number) => void,
  signal: AbortSignal,
) => Promise<unknown>;

/** Nothing has moved for so long: nothing will. */
const STILL_MS = 30_000;

export function putting(server: PageServer): Put {
  return (path, offset, part, moved, signal) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      let still: ReturnType<typeof setTimeout>;
      const leave = () => request.abort();
      const alive = () => {
        clearTimeout(still);
        still = setTimeout(leave, STILL_MS);
      };
      const failed = (why: string) => {
        if (signal.aborted) reject(signal.reason);
        else reject(new RequestFailed(request.status, why, parsed(request.responseText)));
      };
      request.upload.addEventListener("progress", ({ loaded }) => {
        alive();
        moved(loaded);
      });
      request.addEventListener("loadend", () => {
        clearTimeout(still);
        signal.removeEventListener("abort", leave);
        const answer = parsed(request.responseText);
        if (request.status >= 200 && request.status < 300 && answer !== undefined) resolve(answer);
        else failed(messageIn(answer) ?? (`${request.status} ${request.statusText}`.trim()));
      });
      signal.addEventListener("abort", leave);
      request.open("PATCH", new URL(`mlops/api/${path}`, server.baseUrl));
      const told = { ...headers(server, "PATCH"), "Content-Type": "application/octet-stream", "Upload-Offset": String(offset) };
      for (const [name, value] of Object.entries(told)) request.setRequestHeader(name, value);
      alive();
      request.send(part);
    });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function messageIn(answer: unknown): string | null {
  const { message } = (answer ?? {}) as { message?: unknown };
  return typeof message === "string" ? message : null;
}
