/** The panel's sections of what is kept: datasets, with the way in for files, and models. */

import type { Board } from "../state/board";
import { entries as ofDatasets } from "../state/datasets";
import { entries as ofModels } from "../state/models";
import { trans } from "../words";
import { copies } from "./clipboard";
import type { Menu } from "./contextmenu";
import { mount as mountDropzone } from "./dropzone";
import { element, show } from "./element";
import { mount as mountEntries } from "./entries";
import { type Folding, section } from "./section";
import { mount as mountUploads } from "./uploads";

export interface ShelfActs extends Folding {
  /** Shows a dataset or a model. */
  open(id: string): void;
  menu?: Menu;
  /** Sends files to the server; where there is no such way, nothing can be uploaded from here. */
  upload?: { send(files: readonly File[]): void; drop(key: string): void };
}

export function mount(signal: AbortSignal, acts: ShelfActs): { datasets: HTMLElement; models: HTMLElement; update(board: Board, filter: string): void } {
  const datasets = section(trans.__("Datasets"), "datasets", acts);
  const models = section(trans.__("Models"), "models", acts);
  const { upload } = acts;
  if (upload) mountDropzone(datasets.node, datasets.body, signal, (files) => upload.send(files));
  const uploads = mountUploads(datasets.body, { drop: (key) => upload?.drop(key), open: acts.open });
  const [listed, kept] = [mountEntries(datasets.body, acts.open, acts.menu), mountEntries(models.body, acts.open, acts.menu)];
  const noDatasets = first(trans.__("None yet. In a cell:"), 'mlops.datasets.upload("customers.csv")');
  const noModels = first(trans.__("None yet: a job that finishes leaves one."), 'mlops.train(df, target="…")');

  return {
    datasets: datasets.node,
    models: models.node,
    update({ assets, now }, filter) {
      const unknown = trans.__("Not known: the server has not answered yet.");
      const none = (known: boolean, line: HTMLElement, like: string) => (!known ? unknown : filter.trim() ? like : line);
      const sets = ofDatasets(assets.datasets ?? [], filter, now);
      show(datasets.node, assets.datasets !== null || upload !== undefined);
      datasets.count(sets.length);
      uploads(assets);
      listed(sets, none(assets.datasets !== null, noDatasets, trans.__("No dataset like that.")));
      const named = ofModels(assets, filter, now);
      models.count(named.length);
      kept(named, none(assets.models !== null, noModels, trans.__("No model like that.")));
    },
  };
}

/** The line that makes the first one. */
function first(words: string, line: string): HTMLElement {
  const button = element("button", { class: "link", type: "button" }, trans.__("Copy"));
  copies(button, () => line);
  return element("p", { class: "note line-of" }, words, element("code", {}, line), button);
}
