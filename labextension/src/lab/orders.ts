/**
 * What can be done with a job from a row's menu and from the palette: the same. A button in somebody's notebook can run
 * every command of JupyterLab, so the palette's ask first which job is meant; the menu's are its own.
 */

import type { JupyterFrontEnd } from "@jupyterlab/application";
import { type ICommandPalette, InputDialog } from "@jupyterlab/apputils";
import { CommandRegistry } from "@lumino/commands";
import { Menu } from "@lumino/widgets";
import type { Job } from "../protocol";
import type { Action } from "../state/actions";
import { code, isOver, shortId } from "../state/job";
import { copy } from "../views/clipboard";
import { trans } from "../words";
import type { PageBoard } from "./page";

interface Order {
  command: string;
  /** In the menu of a job. */
  label: string;
  /** In the palette, and above the question. */
  asks: string;
  can(job: Job): boolean;
  give(job: Job): void;
}

function orders(page: PageBoard, open: (jobId: string) => void): Order[] {
  const order = (job: Job, action: Action) => void page.order(job.job_id, action).then((next) => next && open(next));
  const live = (job: Job) => !isOver(job) && !job.unreadable;
  return [
    { command: "mlops:choose-job", label: trans.__("Open"), asks: trans.__("Open Job"), can: () => true, give: (job) => open(job.job_id) },
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
    { command: "mlops:copy-job-id", label: trans.__("Copy Job Id"), asks: trans.__("Copy Job Id"), can: () => true, give: (job) => void copy(job.job_id) },
    { command: "mlops:copy-job-code", label: trans.__("Copy as Code"), asks: trans.__("Copy Job as Code"), can: () => true, give: (job) => void copy(code(job.job_id)) },
  ];
}

/** Adds them to the palette; returns what shows the menu of a job. */
export function addOrders(
  app: JupyterFrontEnd,
  palette: ICommandPalette | null,
  page: PageBoard,
  open: (jobId: string) => void,
): (jobId: string, at: { x: number; y: number }) => void {
  const menu = new Menu({ commands: new CommandRegistry() });
  let meant: Job | undefined;
  for (const order of orders(page, open)) {
    const able = () => [...page.board.jobs.values()].filter((job) => order.can(job)).reverse();
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
        const job = await chosen(order.asks, able());
        if (job) order.give(job);
      },
    });
    palette?.addItem({ command: asking, category: "mlops" });
  }
  return (jobId, { x, y }) => {
    meant = page.board.jobs.get(jobId);
    if (meant) menu.open(x, y);
  };
}

async function chosen(title: string, jobs: readonly Job[]): Promise<Job | undefined> {
  const items = jobs.map((job) => `${job.name} · ${shortId(job.job_id)}`);
  const { value } = await InputDialog.getItem({ title, items, okLabel: title });
  return value === null ? undefined : jobs[items.indexOf(value)];
}
