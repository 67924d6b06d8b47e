/** Files on their way, each as a line with a bar; and what became of them, until somebody has read it. */

import type { Assets } from "../state/assets";
import { goesOn, result, sameAs, standing, type Upload } from "../state/uploads";
import { trans } from "../words";
import { attribute, element, say, show } from "./element";
import { draw, mark } from "./marks";

export interface UploadActs {
  /** Stops it, or takes away what is told of one that is over. */
  drop(key: string): void;
  open(datasetId: string): void;
}

const MARKS = {
  waiting: "queued", sending: "running", cut: "reconnecting", reading: "starting", done: "done", same: "done", failed: "failed", elsewhere: "running",
} as const;

export function mount(el: HTMLElement, acts: UploadActs): (assets: Assets) => void {
  const list = element("ul", { class: "uploads", "data-testid": "mlops-uploads" });
  const spoken = element("p", { class: "spoken", role: "status" });
  el.append(list, spoken);
  const updates = new WeakMap<Element, (upload: Upload, assets: Assets) => void>();
  const phases = new Map<string, Upload["phase"]>();

  return (assets) => {
    const known = new Map([...list.children].map((li) => [(li as HTMLElement).dataset["key"], li as HTMLElement]));
    for (const upload of assets.uploads) {
      const li = known.get(upload.key) ?? line(upload.key);
      known.delete(upload.key);
      updates.get(li)?.(upload, assets);
      if (!li.isConnected || li.parentElement !== list) list.append(li);
      if (phases.get(upload.key) === upload.phase) continue;
      phases.set(upload.key, upload.phase);
      if (!goesOn(upload) || upload.phase === "cut") say(spoken, `${upload.filename}: ${outcome(upload, assets)}`);
    }
    for (const [key, gone] of known) {
      phases.delete(key ?? "");
      gone.remove();
    }
    show(list, assets.uploads.length > 0);
  };

  function line(key: string): HTMLElement {
    const shape = mark("known");
    const name = element("span", { class: "name" });
    const told = element("span", { class: "told-of", "data-testid": "mlops-upload-state" });
    const done = element("span", { class: "done" });
    const bar = element("div", { class: "progress", role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" }, done);
    const use = element("button", { class: "button", type: "button", "data-testid": "mlops-upload-use" });
    const drop = element("button", { class: "button", type: "button", "data-testid": "mlops-upload-drop" });
    const li = element("li", { "data-key": key, "data-testid": "mlops-upload" }, shape, name, bar, told, element("span", { class: "orders" }, use, drop));
    let dataset = "";
    use.addEventListener("click", () => acts.open(dataset));
    drop.addEventListener("click", () => acts.drop(key));
    updates.set(li, (upload, assets) => {
      const going = goesOn(upload) || upload.phase === "elsewhere";
      const percent = upload.bytes > 0 ? Math.floor((100 * upload.sent) / upload.bytes) : 0;
      dataset = upload.dataset?.id ?? "";
      attribute(li, "data-phase", upload.phase);
      draw(shape, MARKS[upload.phase]);
      say(name, upload.filename);
      attribute(name, "title", upload.filename);
      show(bar, going);
      attribute(bar, "aria-label", upload.filename);
      attribute(bar, "aria-valuenow", String(percent));
      attribute(bar, "aria-valuetext", standing(upload));
      bar.classList.toggle("cut", upload.phase === "cut");
      done.style.width = `${percent}%`;
      say(told, outcome(upload, assets));
      show(use, dataset !== "");
      say(use, upload.phase === "same" ? trans.__("Use it") : trans.__("Open"));
      // What the server reads is not stopped any more, and what somebody else sends not from here.
      show(drop, upload.phase !== "reading" && upload.phase !== "elsewhere");
      say(drop, goesOn(upload) ? trans.__("Cancel") : trans.__("Dismiss"));
    });
    return li;
  }
}

function outcome(upload: Upload, assets: Assets): string {
  if (upload.phase === "same") return sameAs(upload, assets.datasets);
  if (upload.phase !== "done") return standing(upload);
  const dataset = assets.datasets?.find((one) => one.id === upload.dataset?.id);
  const version = dataset?.versions.find((one) => one.version === upload.dataset?.version) ?? dataset?.versions.at(-1);
  return version ? result(version) : trans.__("is a dataset now");
}
