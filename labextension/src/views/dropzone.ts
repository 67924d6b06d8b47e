/** Where files are let fall, or chosen by a button: what comes of them is for the host to do. */

import { EXTENSIONS } from "../state/uploads";
import { trans } from "../words";
import { element } from "./element";

/** `el` takes files that are dragged over it; the button goes into `place`. */
export function mount(el: HTMLElement, place: HTMLElement, signal: AbortSignal, take: (files: readonly File[]) => void): void {
  const input = element("input", {
    ...{ type: "file", multiple: true, hidden: true, accept: EXTENSIONS.join(), "data-testid": "mlops-upload-file" },
    ...{ "aria-label": trans.__("Files to upload"), tabindex: "-1" },
  });
  const button = element("button", { class: "button", type: "button", "data-testid": "mlops-upload-choose" }, trans.__("Upload…"));
  button.title = trans.__("Choose .csv or .parquet files");
  place.append(element("div", { class: "drop" }, button, element("span", { class: "note" }, trans.__("or drop files here")), input));
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    take([...(input.files ?? [])]);
    // The same file may be chosen again.
    input.value = "";
  });
  const over = (event: DragEvent) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.stopPropagation();
    event.dataTransfer.dropEffect = "copy";
    el.dataset["over"] = "";
  };
  const left = () => delete el.dataset["over"];
  el.addEventListener("dragenter", over, { signal });
  el.addEventListener("dragover", over, { signal });
  el.addEventListener(
    "dragleave",
    (event) => {
      if (!(event.relatedTarget instanceof Node) || !el.contains(event.relatedTarget)) left();
    },
    { signal },
  );
  el.addEventListener(
    "drop",
    (event) => {
      left();
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      event.stopPropagation();
      take([...event.dataTransfer.files]);
    },
    { signal },
  );
}
