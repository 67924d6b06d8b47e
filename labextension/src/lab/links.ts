/** Links to the page of `jupyter mlops`, as `mlops.open()` makes them: followed where the reader is already. */

import { addressOf, chosenIn, type PageServer } from "../client/page";

/** A plain click on such a link calls `open` with what it has chosen, or with null; any other click is the browser's. */
export function followLinks(server: PageServer, open: (id: string | null, part: string | null) => void): void {
  const home = new URL(addressOf(server, null));
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement);
    if (!link) return;
    const address = new URL(link.href, location.href);
    if (address.origin !== home.origin || address.pathname !== home.pathname) return;
    event.preventDefault();
    const { id, part } = chosenIn(address);
    open(id, part);
  });
}

/** Goes to an address as a click on a link does, so that it is followed as any other. */
export function follow(address: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.target = "_blank";
  link.rel = "noopener";
  document.body.append(link);
  link.click();
  link.remove();
}
