/** Notifications of the browser, for a page that is hidden: where the user wants them and the browser has them. */

import type { Notice } from "../state/notices";
import { preferences } from "../state/preferences";
import { trans } from "../words";

/** Why there are none on this page, in a sentence; null where there can be. */
export function impossible(): string | null {
  // Pages that came by plain http have no such thing.
  if (!window.isSecureContext || !("Notification" in window)) {
    return trans.__("Not on this page: browsers have them where a page came by https, or from this very machine.");
  }
  if (window.Notification.permission === "denied") {
    return trans.__("Your browser refuses them to this address: they are allowed in its own settings.");
  }
  return null;
}

/** Asks for the browser's leave, while the click that wants them is fresh; says why where there is none to be had. */
export async function allowed(): Promise<string | null> {
  if (impossible() === null && window.Notification.permission === "default") await window.Notification.requestPermission();
  return impossible();
}

/** Returns whether it was told there: then nothing need appear on a page that nobody sees. */
export function tellOutside(notice: Notice, chosen: () => void): boolean {
  if (!preferences.notify.browser || document.visibilityState !== "hidden") return false;
  if (impossible() !== null || window.Notification.permission !== "granted") return false;
  try {
    // Of one tag there is one, whichever page tells it.
    const told = new window.Notification("mlops", { body: notice.text, tag: `mlops ${notice.jobId ?? notice.kind}` });
    told.onclick = () => {
      window.focus();
      chosen();
    };
    return true;
  } catch {
    // Some browsers have them for service workers only.
    return false;
  }
}
