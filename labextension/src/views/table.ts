/** The points of charts as tables over the page: for those who do not see curves, and for those who want the digits. */

import { count } from "../state/figures";
import { MOST_ROWS, type PointTable } from "../state/table";
import { trans } from "../words";
import { element } from "./element";

export interface Tables {
  name: string;
  /** What a step is called. */
  tables: { title: string; unit: string; table: PointTable }[];
  /** The line of code that has all of them, and what saves them. */
  code: string;
  csv(): void;
}

/** Returns what shows them; Escape or [Close] give the focus back to where it was. What is measured meanwhile is not in them. */
export function mount(el: HTMLElement, signal: AbortSignal): (shown: Tables) => void {
  const dialog = element("dialog", { class: "tables", "data-testid": "mlops-data" });
  el.append(dialog);
  dialog.addEventListener("keydown", (event) => {
    // Escape closes this, it does not leave the card; and the keys of the charts are none of a table's.
    event.stopPropagation();
    if (event.key !== "Escape") return;
    event.preventDefault();
    dialog.close();
  });
  dialog.addEventListener("close", () => dialog.replaceChildren());
  // Beside it is out of it.
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  signal.addEventListener("abort", () => dialog.close());

  return ({ name, tables, code, csv }) => {
    const title = trans.__("Data of the charts: %1", name);
    const close = button(trans.__("Close"), "mlops-data-close", () => dialog.close());
    const save = button(trans.__("Save all as CSV"), "mlops-data-csv", csv);
    dialog.setAttribute("aria-label", title);
    dialog.replaceChildren(
      element(
        "div",
        { class: "inside" },
        element("div", { class: "header" }, element("b", { class: "name", title }, title), element("span", { class: "right" }, save, close)),
        element("p", {}, trans.__("Every measured value: in the CSV file, or in Python"), " ", element("code", {}, code)),
        ...tables.map(({ title: metric, unit, table }) => box(metric, unit, table)),
      ),
    );
    if (!dialog.open) dialog.showModal();
    close.focus();
  };
}

function button(label: string, testid: string, pressed: () => void): HTMLButtonElement {
  const node = element("button", { class: "button", type: "button", "data-testid": testid }, label);
  node.addEventListener("click", pressed);
  return node;
}

/** In a scroll box of its own, which keys reach. */
function box(title: string, unit: string, { names, rows, shown, count: all }: PointTable): HTMLElement {
  const caption = element("caption", {}, element("b", {}, title), ` ${part(shown, all)}`);
  const head = element("tr", {}, element("th", { scope: "col" }, unit), ...names.map((name) => element("th", { scope: "col" }, name)));
  const body = rows.map(({ step, values }) =>
    element("tr", {}, element("th", { scope: "row" }, count(step)), ...values.map((value) => element("td", {}, value ?? ""))),
  );
  const table = element("table", {}, caption, element("thead", {}, head), element("tbody", {}, ...body));
  return element("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": title, "data-testid": "mlops-table" }, table);
}

/** How many of how many, and which. */
function part(shown: number, all: number | null): string {
  if (shown === all) return trans._n("%1 value", "%1 values", shown);
  const some = all === null ? trans.__("%1 of more values", count(shown)) : trans.__("%1 of %2 values", count(shown), count(all));
  return trans.__("%1: first, lowest and highest of each range, at most %2 rows", some, String(MOST_ROWS));
}
