/**
 * Which page of a browser interrupts: of those of one server the one that was looked at last, or, once that is gone,
 * any other. Kept where all of them see it, since no server knows who looks where.
 */

import { freshKey } from "../client/keys";

/** Pages that are left behind together do not all claim at once. */
const CLAIM_MS = 500;

/** Whether this page does, asked when there is something to tell. `baseUrl`: several servers may share an origin. */
export function inFront(baseUrl: URL): () => boolean {
  const key = `mlops_jupyter:looked-at ${baseUrl.pathname}`;
  const me = freshKey();
  const holder = () => localStorage.getItem(key);
  const claim = () => localStorage.setItem(key, me);
  window.addEventListener("focus", claim);
  window.addEventListener("pagehide", () => {
    if (holder() === me) localStorage.removeItem(key);
  });
  // Told to all pages but the one that did it.
  window.addEventListener("storage", () => {
    if (holder() !== null) return;
    setTimeout(() => {
      if (holder() === null) claim();
    }, Math.random() * CLAIM_MS);
  });
  if (document.hasFocus() || holder() === null) claim();
  return () => holder() === me;
}
