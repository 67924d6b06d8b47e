/** Datasets, models and pipelines in tabs of JupyterLab's main area, restored after a reload. */

import type { ILabShell, ILayoutRestorer, JupyterFrontEnd } from "@jupyterlab/application";
import { WidgetTracker } from "@jupyterlab/apputils";
import type { CommandRegistry } from "@lumino/commands";
import { Widget } from "@lumino/widgets";
import type { Client } from "../client/client";
import { addressOf, type PageServer } from "../client/page";
import { nameOf, type Noun } from "../state/nouns";
import { liveDataset } from "../widgets/dataset";
import { liveModel } from "../widgets/model";
import { livePipeline } from "../widgets/pipeline";
import { trans } from "../words";
import { icon } from "./icon";
import type { PageBoard } from "./page";

type Kept = Exclude<Noun, "job">;
/** The commands that show one. */
export const OPEN_ASSET: Record<Kept, string> = { dataset: "mlops:open-dataset", model: "mlops:open-model", pipeline: "mlops:open-pipeline" };

type Mount = (place: HTMLElement, id: string, part: string | null, signal: AbortSignal) => void;

class AssetTab extends Widget {
  readonly assetId: string;
  readonly #mount: Mount;
  #leaving = new AbortController();
  readonly #gone = new AbortController();

  constructor(noun: Kept, assetId: string, page: PageBoard, mount: Mount, part: string | null) {
    super();
    this.assetId = assetId;
    this.#mount = mount;
    this.id = `mlops-${noun}-${assetId}`;
    const name = () => {
      this.title.label = nameOf(page.board, assetId);
    };
    name();
    page.watch(name, this.#gone.signal);
    this.title.caption = assetId;
    this.title.icon = icon;
    this.title.closable = true;
    this.node.style.overflow = "auto";
    this.node.style.padding = "8px";
    this.showPart(part);
  }

  /** Begins anew at another part. */
  showPart(part: string | null): void {
    this.#leaving.abort();
    this.#leaving = new AbortController();
    const place = document.createElement("div");
    this.node.replaceChildren(place);
    this.#mount(place, this.assetId, part, this.#leaving.signal);
  }

  override dispose(): void {
    this.#leaving.abort();
    this.#gone.abort();
    super.dispose();
  }
}

export interface Openers {
  open(id: string): void;
  insert(lines: string): Promise<boolean>;
}

/** Adds the commands that show one: a button in somebody's notebook can run them, and they change nothing. */
export function addTabs(
  app: JupyterFrontEnd,
  labShell: ILabShell | null,
  restorer: ILayoutRestorer | null,
  client: Client,
  server: PageServer,
  page: PageBoard,
  { open, insert }: Openers,
): void {
  const dataset: Mount = (place, id, _part, signal) => liveDataset(place, id, client, page, { open, insert }, signal);
  const model: Mount = (place, id, part, signal) => liveModel(place, id, client, page, open, server, signal, part);
  const pipeline: Mount = (place, id, _part, signal) => livePipeline(place, id, client, page, server.baseUrl, signal);
  const all: [Kept, string, string, Mount][] = [
    ["dataset", trans.__("mlops: Open Dataset"), trans.__("Open a dataset in a tab"), dataset],
    ["model", trans.__("mlops: Open Model"), trans.__("Open a model in a tab"), model],
    ["pipeline", trans.__("mlops: Open Pipeline"), trans.__("Open a pipeline in a tab"), pipeline],
  ];
  for (const one of all) app.commands.addCommand(OPEN_ASSET[one[0]], opening(...one));

  function opening(noun: Kept, label: string, caption: string, mount: Mount): CommandRegistry.ICommandOptions {
    const command = OPEN_ASSET[noun];
    const tabs = new WidgetTracker<AssetTab>({ namespace: `mlops-${noun}s` });
    if (labShell) {
      const args = (tab: AssetTab) => ({ id: tab.assetId });
      // Once the command is there.
      queueMicrotask(() => void restorer?.restore(tabs, { command, args, name: (tab) => tab.assetId }));
    }
    return {
      label,
      caption,
      describedBy: { args: { type: "object", properties: { id: { type: "string" }, part: { type: "string" } }, required: ["id"] } },
      execute: (args) => {
        const id = String(args["id"]);
        const part = typeof args["part"] === "string" ? args["part"] : null;
        if (!labShell) {
          window.open(addressOf(server, id, part), "_blank", "noopener");
          return;
        }
        const known = tabs.find((tab) => tab.assetId === id);
        const tab = known ?? new AssetTab(noun, id, page, mount, part);
        if (known && part !== null) known.showPart(part);
        if (!known) {
          void tabs.add(tab);
          app.shell.add(tab, "main");
        }
        app.shell.activateById(tab.id);
      },
    };
  }
}
