/** Links to the page of `jupyter mlops`, as `mlops.open()` makes them: followed where the reader is already. */

import { addressOf, type PageServer } from "../client/page";

/** A plain click on such a link calls `open` with its job, or with null; any other click is the browser's. */
export function followLinks(server: PageServer, open: (jobId: string | null) => void): void {
  const home = new URL(addressOf(server, null));
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement);
    if (!link) return;
    const address = new URL(link.href, location.href);
    if (address.origin !== home.origin || address.pathname !== home.pathname) return;
    event.preventDefault();
    open(address.searchParams.get("job"));
  });
}
