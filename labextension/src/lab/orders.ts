/**
 * What can be done with a row of the panel, from its menu and from the palette: the same. A button in somebody's notebook
 * can run every command of JupyterLab, so the palette's ask first which one is meant; the menu's are its own.
 */

import type { JupyterFrontEnd } from "@jupyterlab/application";
import { Dialog, type ICommandPalette, InputDialog, showDialog } from "@jupyterlab/apputils";
import { CommandRegistry } from "@lumino/commands";
import { Menu } from "@lumino/widgets";
import type { Job } from "../protocol";
import type { Action } from "../state/actions";
import type { Dataset, Model } from "../state/assets";
import { code, isOver, shortId } from "../state/job";
import { label } from "../state/models";
import type { Pipeline, Pipelines } from "../state/pipelines";
import { copy } from "../views/clipboard";
import type { Menu as RowMenu } from "../views/contextmenu";
import { trans } from "../words";
import type { PageBoard } from "./page";

interface Order<One> {
  command: string;
  /** In the menu of a row. */
  label: string;
  /** In the palette, and above the question. */
  asks: string;
  can(one: One): boolean;
  give(one: One): void;
}

/** One of the kinds of rows there are. */
interface Kind<One> {
  /** Those there are, the newest first. */
  all(): readonly One[];
  id(one: One): string;
  name(one: One): string;
  orders: readonly Order<One>[];
}

interface Doing {
  page: PageBoard;
  open(id: string, part?: string): void;
  pipelines: Pipelines;
}

const always = () => true;

function jobs({ page, open, pipelines: door }: Doing): Kind<Job> {
  const order = (job: Job, action: Action) => void page.order(job.job_id, action).then((next) => next && open(next));
  const keep = async (job: Job) => {
    const { value } = await InputDialog.getText({ title: trans.__("Keep Job as Pipeline"), label: trans.__("Name"), text: job.name, okLabel: trans.__("Keep as pipeline") });
    if (value) await door.keep(job.job_id, value.trim()).then((one) => open(one.id), (error: Error) => page.say(`${trans.__("Not kept")}: ${error.message}`));
  };
  const live = (job: Job) => !isOver(job) && !job.unreadable;
  return {
    all: () => [...page.board.jobs.values()].reverse(),
    id: (job) => job.job_id,
    name: (job) => job.name,
    orders: [
      { command: "mlops:choose-job", label: trans.__("Open"), asks: trans.__("Open Job"), can: always, give: (job) => open(job.job_id) },
      {
        ...{ command: "mlops:stop-job", label: trans.__("Stop"), asks: trans.__("Stop Job") },
        can: (job) => live(job) && job.status !== "stopping",
        give: (job) => order(job, { do: "stop" }),
      },
      {
        ...{ command: "mlops:pause-job", label: trans.__("Pause"), asks: trans.__("Pause Job") },
        can: (job) => live(job) && job.status === "running",
        give: (job) => order(job, { do: "pause" }),
      },
      {
        ...{ command: "mlops:resume-job", label: trans.__("Resume"), asks: trans.__("Resume Job") },
        can: (job) => live(job) && job.status === "paused",
        give: (job) => order(job, { do: "resume" }),
      },
      {
        ...{ command: "mlops:rerun-job", label: trans.__("Run Again"), asks: trans.__("Run Job Again") },
        can: (job) => isOver(job) && !job.unreadable,
        give: (job) => order(job, { do: "rerun" }),
      },
      {
        ...{ command: "mlops:keep-job", label: trans.__("Keep as Pipeline…"), asks: trans.__("Keep Job as Pipeline") },
        can: (job) => job.status === "completed" && !job.unreadable,
        give: (job) => void keep(job),
      },
      {
        ...{ command: "mlops:delete-job", label: trans.__("Delete…"), asks: trans.__("Delete Job") },
        can: isOver,
        give: (job) => void meant(job).then((yes) => yes && order(job, { do: "delete" })),
      },
      { command: "mlops:copy-job-id", label: trans.__("Copy Job Id"), asks: trans.__("Copy Job Id"), can: always, give: (job) => void copy(job.job_id) },
      { command: "mlops:copy-job-code", label: trans.__("Copy as Code"), asks: trans.__("Copy Job as Code"), can: always, give: (job) => void copy(code(job.job_id)) },
    ],
  };
}

/** Nothing brings it back: asked once. */
async function meant(job: Job): Promise<boolean> {
  const { button } = await showDialog({
    title: trans.__("Delete %1", job.name),
    body: trans.__("Its record, its metrics and its log are gone for good. A model that it made stays."),
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__("Delete") })],
  });
  return button.accept;
}

function datasets({ page, open }: Doing): Kind<Dataset> {
  return {
    all: () => page.board.assets.datasets ?? [],
    id: (one) => one.id,
    name: (one) => one.name,
    orders: [
      { command: "mlops:choose-dataset", label: trans.__("Open"), asks: trans.__("Open Dataset"), can: always, give: (one) => open(one.id) },
      { command: "mlops:copy-dataset-id", label: trans.__("Copy Dataset Id"), asks: trans.__("Copy Dataset Id"), can: always, give: (one) => void copy(one.id) },
      {
        ...{ command: "mlops:copy-dataset-code", label: trans.__("Copy as Code"), asks: trans.__("Copy Dataset as Code") },
        can: always,
        give: (one) => void copy(`mlops.datasets.get(${JSON.stringify(one.name)})`),
      },
    ],
  };
}

function models({ page, open }: Doing): Kind<Model> {
  return {
    all: () => page.board.assets.models ?? [],
    id: (one) => one.model_id,
    name: label,
    orders: [
      { command: "mlops:choose-model", label: trans.__("Open"), asks: trans.__("Open Model"), can: always, give: (one) => open(one.model_id) },
      {
        // Its card says first what it takes the place of.
        ...{ command: "mlops:deploy-model", label: trans.__("Deploy…"), asks: trans.__("Deploy Model") },
        can: ({ status }) => status === "registered" || status === "failed",
        give: (one) => open(one.model_id, "deploy"),
      },
      {
        ...{ command: "mlops:try-model", label: trans.__("Try It…"), asks: trans.__("Try Model") },
        can: ({ status }) => status === "deployed",
        give: (one) => open(one.model_id, "try"),
      },
      { command: "mlops:copy-model-id", label: trans.__("Copy Model Id"), asks: trans.__("Copy Model Id"), can: always, give: (one) => void copy(one.model_id) },
      {
        ...{ command: "mlops:copy-model-code", label: trans.__("Copy as Code"), asks: trans.__("Copy Model as Code") },
        can: always,
        give: (one) => void copy(`mlops.model(${JSON.stringify(`${one.name}@${one.version}`)})`),
      },
    ],
  };
}

function pipelines({ page, open, pipelines: door }: Doing): Kind<Pipeline> {
  return {
    all: () => page.board.assets.pipelines ?? [],
    id: (one) => one.id,
    name: (one) => one.name,
    orders: [
      { command: "mlops:choose-pipeline", label: trans.__("Open"), asks: trans.__("Open Pipeline"), can: always, give: (one) => open(one.id) },
      {
        ...{ command: "mlops:run-pipeline", label: trans.__("Run"), asks: trans.__("Run Pipeline") },
        can: always,
        give: (one) => door.run(one).then(open, (error: Error) => page.say(`${trans.__("Not run")}: ${error.message}`)),
      },
      { command: "mlops:copy-pipeline-id", label: trans.__("Copy Pipeline Id"), asks: trans.__("Copy Pipeline Id"), can: always, give: (one) => void copy(one.id) },
      {
        ...{ command: "mlops:copy-pipeline-code", label: trans.__("Copy as Code"), asks: trans.__("Copy Pipeline as Code") },
        can: always,
        give: (one) => void copy(`mlops.pipeline(${JSON.stringify(one.name)})`),
      },
    ],
  };
}

/** Adds them to the palette; returns what shows the menu of a row. */
export function addOrders(app: JupyterFrontEnd, palette: ICommandPalette | null, doing: Doing): RowMenu {
  const menus = [add(app, palette, jobs(doing)), add(app, palette, datasets(doing)), add(app, palette, models(doing)), add(app, palette, pipelines(doing))];
  return (id, at) => menus.some((shown) => shown(id, at));
}

/** Of one kind; what it returns says whether the id was of that. */
function add<One>(app: JupyterFrontEnd, palette: ICommandPalette | null, { all, id, name, orders }: Kind<One>): (id: string, at: { x: number; y: number }) => boolean {
  const menu = new Menu({ commands: new CommandRegistry() });
  let meant: One | undefined;
  for (const order of orders) {
    const able = () => all().filter((one) => order.can(one));
    menu.commands.addCommand(order.command, {
      label: order.label,
      isVisible: () => meant !== undefined && order.can(meant),
      execute: () => meant && order.give(meant),
    });
    menu.addItem({ command: order.command });
    const asking = order.command;
    app.commands.addCommand(asking, {
      label: trans.__("mlops: %1…", order.asks),
      isEnabled: () => able().length > 0,
      describedBy: { args: { type: "object", properties: {} } },
      execute: async () => {
        const choice = able();
        const items = choice.map((one) => `${name(one)} · ${shortId(id(one))}`);
        const { value } = await InputDialog.getItem({ title: order.asks, items, okLabel: order.asks });
        const chosen = value === null ? undefined : choice[items.indexOf(value)];
        if (chosen) order.give(chosen);
      },
    });
    palette?.addItem({ command: asking, category: "mlops" });
  }
  return (wanted, { x, y }) => {
    meant = all().find((one) => id(one) === wanted);
    if (meant) menu.open(x, y);
    return meant !== undefined;
  };
}
