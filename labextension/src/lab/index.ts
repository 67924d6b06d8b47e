/** The JupyterLab extension: jobs in cell outputs, live when the server knows them; the panel and its surroundings. */

import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette, WidgetTracker } from "@jupyterlab/apputils";
import { ILauncher } from "@jupyterlab/launcher";
import { IRenderMimeRegistry } from "@jupyterlab/rendermime";
import { ISettingRegistry } from "@jupyterlab/settingregistry";
import { IStatusBar } from "@jupyterlab/statusbar";
import { ITranslator } from "@jupyterlab/translation";
import { pageClient } from "../client/client";
import { addressOf, pageServer } from "../client/page";
import { pipelinesOf } from "../client/pipelines";
import { nounOf } from "../state/nouns";
import { submitted } from "../state/board";
import { preferences } from "../state/preferences";
import { BOARD_MIME_TYPE } from "../widgets/board";
import { MIME_TYPE } from "../widgets/saved";
import { BoardRenderer } from "./board";
import { speak, trans } from "../words";
import { icon } from "./icon";
import { followLinks } from "./links";
import { notify } from "./notify";
import { addOrders } from "./orders";
import { PageBoard } from "./page";
import { JobTab, Panel, PANEL_ID, StatusItem } from "./panel";
import { JobRenderer } from "./renderer";
import { followSettings } from "./settings";
import { addTabs, OPEN_ASSET } from "./tabs";
import { uploadsOf } from "./uploads";

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
  activate: (app: JupyterFrontEnd, registry: IRenderMimeRegistry, translator: ITranslator | null) => {
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
    const open = (jobId: string) => void app.commands.execute(OPEN_JOB, { id: jobId });
    registry.addFactory(
      { safe: true, mimeTypes: [BOARD_MIME_TYPE], createRenderer: () => new BoardRenderer(open) },
      -20,
    );
  },
};

/** A button in somebody's notebook can run these: they show something and change nothing. */
const OPEN_PANEL = "mlops:open-panel";
const OPEN_JOB = "mlops:open-job";

/** Its settings have its name: schema/plugin.json. */
const PLUGIN = "mlops_jupyter:plugin";

const surroundings: JupyterFrontEndPlugin<void> = {
  id: PLUGIN,
  description: "The side panel, the status bar's item and a tab a job.",
  autoStart: true,
  // Notebook 7 has neither tabs nor a status bar, and other front ends may lack the rest.
  optional: [ILabShell, ILayoutRestorer, ICommandPalette, ILauncher, IStatusBar, ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    statusBar: IStatusBar | null,
    registry: ISettingRegistry | null,
    translator: ITranslator | null,
  ) => {
    inLanguageOf(translator);
    const [client, server] = [pageClient(), pageServer()];
    if (!client || !server) return;
    const page = new PageBoard(client);
    // A page that is still being built answers slowly, and would be called slow.
    void app.restored.then(() => whenIdle(() => page.start(new AbortController().signal)));
    const tabs = new WidgetTracker<JobTab>({ namespace: "mlops-jobs" });
    const open = (id: string, part: string | null = null) => {
      const noun = nounOf(id);
      const command = noun === null || noun === "job" ? OPEN_JOB : OPEN_ASSET[noun];
      void app.commands.execute(command, { id, ...(part !== null && { part }) });
    };
    const pipelines = pipelinesOf(client.rest, server.baseUrl);
    const panel = new Panel(page, {
      open,
      menu: addOrders(app, palette, { page, open, pipelines }),
      insert: (lines) => insert(app, lines),
      upload: uploadsOf(client, server, page),
      pipelines: { door: pipelines, changed: () => page.refresh("pipelines") },
      settings: () => void app.commands.execute("settingeditor:open", { query: "mlops" }),
    });
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
        if (!labShell) {
          // One document a page: the job gets a page of its own.
          window.open(addressOf(server, jobId), "_blank", "noopener");
          return;
        }
        const known = tabs.find((tab) => tab.jobId === jobId);
        const tab = known ?? new JobTab(jobId, page);
        if (!known) {
          void tabs.add(tab);
          app.shell.add(tab, "main");
        }
        app.shell.activateById(tab.id);
      },
    });
    addTabs(app, labShell, restorer, client, server, page, { open, insert: (lines) => insert(app, lines) });
    launcher?.add({ command: OPEN_PANEL, category: trans.__("Other") });
    palette?.addItem({ command: OPEN_PANEL, category: "mlops" });
    restorer?.add(panel, PANEL_ID);
    // In Notebook 7 the links lead where they say.
    if (labShell) followLinks(server, (id, part) => (id === null ? void app.commands.execute(OPEN_PANEL) : open(id, part)));
    if (labShell) void restorer?.restore(tabs, { command: OPEN_JOB, args: (tab) => ({ id: tab.jobId }), name: (tab) => tab.jobId });
    notify(server.baseUrl, page, open, () => void app.commands.execute(OPEN_PANEL));
    const status = new StatusItem(page, () => void app.commands.execute(OPEN_PANEL));
    statusBar?.registerStatusItem("mlops_jupyter:status", {
      item: status,
      align: "left",
      rank: 900,
      isActive: () => preferences.statusBar,
    });
    page.watch((board, before) => {
      const here = preferences.openPanelOnTrain && document.visibilityState === "visible";
      if (here && submitted(before, board)) app.shell.activateById(PANEL_ID);
    });
    if (!registry) return;
    void followSettings(registry, PLUGIN, (before) => {
      if (preferences.connection !== before.connection) client.use(preferences.connection);
      status.setHidden(!preferences.statusBar);
    });
  },
};

/** Into a new cell of the notebook that is shown; false where none is. */
async function insert(app: JupyterFrontEnd, lines: string): Promise<boolean> {
  const { commands } = app;
  if (!commands.hasCommand("notebook:insert-cell-below") || !commands.isEnabled("notebook:insert-cell-below")) return false;
  await commands.execute("notebook:insert-cell-below");
  await commands.execute("notebook:replace-selection", { text: lines });
  await commands.execute("notebook:enter-edit-mode");
  return true;
}

function whenIdle(begin: () => void): void {
  if ("requestIdleCallback" in window) window.requestIdleCallback(begin, { timeout: 3_000 });
  else begin();
}

export default [renderer, surroundings];
