/** The JupyterLab extension: jobs in cell outputs, live when the server knows them; the panel and its surroundings. */

import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette, WidgetTracker } from "@jupyterlab/apputils";
import { IRenderMimeRegistry } from "@jupyterlab/rendermime";
import { IStatusBar } from "@jupyterlab/statusbar";
import { ITranslator } from "@jupyterlab/translation";
import { pageClient } from "../client/client";
import { MIME_TYPE } from "../widgets/saved";
import { speak, trans } from "../words";
import { icon } from "./icon";
import { notify } from "./notify";
import { PageBoard } from "./page";
import { JobTab, Panel, PANEL_ID, StatusItem } from "./panel";
import { JobRenderer } from "./renderer";

/** Whatever comes first, the language is there before anything is shown. */
function inLanguageOf(translator: ITranslator | null): void {
  if (translator) speak(translator.load("mlops_jupyter"));
}

const renderer: JupyterFrontEndPlugin<void> = {
  id: "mlops_jupyter:renderer",
  description: "Shows training jobs in cell outputs.",
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [ITranslator],
  activate: (_app: JupyterFrontEnd, registry: IRenderMimeRegistry, translator: ITranslator | null) => {
    inLanguageOf(translator);
    registry.addFactory(
      {
        // Its text is only ever text: it may be shown in notebooks nobody has trusted.
        safe: true,
        mimeTypes: [MIME_TYPE],
        createRenderer: () => new JobRenderer(),
      },
      // Before the widget's own view (−10), which does not survive a restart of the kernel.
      -20,
    );
  },
};

/** A button in somebody's notebook can run these: they show something and change nothing. */
const OPEN_PANEL = "mlops:open-panel";
const OPEN_JOB = "mlops:open-job";

const surroundings: JupyterFrontEndPlugin<void> = {
  id: "mlops_jupyter:surroundings",
  description: "The side panel, the status bar's item and a tab a job.",
  autoStart: true,
  // Notebook 7 has no status bar, and other front ends may lack the rest.
  optional: [ILayoutRestorer, ICommandPalette, IStatusBar, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    statusBar: IStatusBar | null,
    translator: ITranslator | null,
  ) => {
    inLanguageOf(translator);
    const client = pageClient();
    if (!client) return;
    const page = new PageBoard(client);
    // A page that is still being built answers slowly, and would be called slow.
    void app.restored.then(() => whenIdle(() => page.start(new AbortController().signal)));
    const tabs = new WidgetTracker<JobTab>({ namespace: "mlops-jobs" });
    const open = (jobId: string) => void app.commands.execute(OPEN_JOB, { id: jobId });
    const panel = new Panel(page, open);
    app.shell.add(panel, "left", { rank: 900, type: "mlops" });

    app.commands.addCommand(OPEN_PANEL, {
      label: trans.__("mlops: Jobs and the Machine"),
      caption: trans.__("Open the panel of training jobs and of the machine they run on"),
      icon,
      describedBy: { args: { type: "object", properties: {} } },
      execute: () => app.shell.activateById(PANEL_ID),
    });
    app.commands.addCommand(OPEN_JOB, {
      label: trans.__("mlops: Open Job"),
      caption: trans.__("Open a training job in a tab"),
      describedBy: { args: { type: "object", properties: { id: { type: "string" } }, required: ["id"] } },
      execute: (args) => {
        const jobId = String(args["id"]);
        const known = tabs.find((tab) => tab.jobId === jobId);
        const tab = known ?? new JobTab(jobId, page);
        if (!known) {
          void tabs.add(tab);
          app.shell.add(tab, "main");
        }
        app.shell.activateById(tab.id);
      },
    });
    app.commands.addKeyBinding({ command: OPEN_PANEL, keys: ["Alt Shift M"], selector: "body" });
    palette?.addItem({ command: OPEN_PANEL, category: "mlops" });
    restorer?.add(panel, PANEL_ID);
    void restorer?.restore(tabs, { command: OPEN_JOB, args: (tab) => ({ id: tab.jobId }), name: (tab) => tab.jobId });
    notify(page, open);
    statusBar?.registerStatusItem("mlops_jupyter:status", {
      item: new StatusItem(page, () => void app.commands.execute(OPEN_PANEL)),
      align: "left",
      rank: 900,
    });
  },
};

function whenIdle(begin: () => void): void {
  if ("requestIdleCallback" in window) window.requestIdleCallback(begin, { timeout: 3_000 });
  else begin();
}

export default [renderer, surroundings];
