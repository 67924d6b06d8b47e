/**
 * Tells through JupyterLab's own notifications: one item a job while it runs, its end, the machine when it is
 * critical, the server when it is away. One page of a browser interrupts (front.ts), three times a minute at most: of
 * the rest one entry says how many there were, beside their own.
 */

import { Notification } from "@jupyterlab/apputils";
import { answering } from "../state/connection";
import { isOver } from "../state/job";
import type { Board } from "../state/board";
import { endedIn, grouped, type Notice, ofAlerts, ofDrift, ofHealth, ofJobs, ofModels } from "../state/notices";
import { preferences } from "../state/preferences";
import { figures } from "../state/rows";
import { trans } from "../words";
import { tellOutside } from "./desktop";
import { inFront } from "./front";
import type { PageBoard } from "./page";

const TOAST_MS = 8_000;
const MOST_TOASTS = 3;
const MINUTE_MS = 60_000;
/** A server that is away for less is not worth a word. */
const AWAY_MS = 10_000;

/** `overview` shows all jobs. */
export function notify(baseUrl: URL, page: PageBoard, open: (jobId: string) => void, overview: () => void): void {
  const interrupts = inFront(baseUrl);
  const items = new Map<string, string>();
  let toasts: number[] = [];
  /** What did not interrupt since there is no more of that minute, and its entry. */
  let rest: Notice[] = [];
  let group: string | null = null;
  let away: string | null = null;
  let ended = new Set<string>();

  page.watch((board, before) => {
    progress(board);
    for (const notice of ofJobs(before, board, ended)) tell(notice);
    ended = new Set();
    server(board);
  });
  page.listen((events) => {
    for (const jobId of endedIn(events)) ended.add(jobId);
    for (const notice of [...ofHealth(events), ...ofAlerts(events), ...ofDrift(events), ...ofModels(events, page.board)]) tell(notice);
  });

  /** One item in the list a job at work, and nothing on the screen. */
  function progress(board: Board): void {
    for (const [jobId, item] of items) {
      if (board.jobs.has(jobId)) continue;
      // Of a store that is there no more.
      Notification.dismiss(item);
      items.delete(jobId);
    }
    for (const job of board.jobs.values()) {
      const item = items.get(job.job_id);
      if (isOver(job)) {
        if (item) Notification.dismiss(item);
        items.delete(job.job_id);
        continue;
      }
      const message = `${job.name}: ${figures(job)}`;
      if (item === undefined) {
        const actions = [{ label: trans.__("Open"), callback: () => open(job.job_id) }];
        items.set(job.job_id, Notification.emit(message, "in-progress", { autoClose: 0, actions }));
      } else if (messageOf(item) !== message) {
        Notification.update({ id: item, message });
      }
    }
  }

  function server(board: Board): void {
    const { link, shown } = board.connection;
    const gone = preferences.notify.health && shown !== "connecting" && !answering(board.connection) && board.now - (link.downSince ?? board.now) > AWAY_MS;
    if (gone && away === null) {
      const text = trans.__("The server does not answer. Jobs that run there may still be running.");
      away = emit({ kind: "warning", text, jobId: null, toast: true });
    } else if (away !== null && answering(board.connection)) {
      Notification.dismiss(away);
      away = null;
    }
  }

  function tell(notice: Notice): void {
    // Whoever sees the card sees its end.
    emit({ ...notice, toast: notice.toast && !(notice.jobId !== null && inView(notice.jobId)) });
  }

  function emit(notice: Notice): string {
    const now = Date.now();
    toasts = toasts.filter((at) => now - at < MINUTE_MS);
    const { jobId } = notice;
    const wanted = notice.toast && interrupts();
    const loud = wanted && toasts.length < MOST_TOASTS;
    if (loud) {
      toasts.push(now);
      // The next that do not are of another minute.
      [rest, group] = [[], null];
    } else if (wanted) {
      beyond(notice);
    }
    const outside = loud && tellOutside(notice, () => jobId && open(jobId));
    return Notification.emit(notice.text, notice.kind, {
      // Nought is the list alone.
      autoClose: loud && !outside ? TOAST_MS : 0,
      actions: jobId ? [{ label: trans.__("Open"), callback: () => open(jobId) }] : [],
    });
  }

  /** One entry for all of them: how many, of what, and the way to where they are. */
  function beyond(notice: Notice): void {
    rest.push(notice);
    const { text: message, kind: type } = grouped(rest);
    if (group !== null && messageOf(group) !== undefined) {
      Notification.update({ id: group, message, type });
      return;
    }
    group = Notification.emit(message, type, { autoClose: 0, actions: [{ label: trans.__("Show"), callback: overview }] });
  }
}

function messageOf(id: string): string | undefined {
  return Notification.manager.notifications.find((one) => one.id === id)?.message;
}

/** Whether somebody who looks at this page sees the job's card. */
function inView(jobId: string): boolean {
  if (document.visibilityState === "hidden") return false;
  return [...document.querySelectorAll<HTMLElement>(`[data-mlops-job="${CSS.escape(jobId)}"]`)].some((card) => {
    const { top, bottom } = card.getBoundingClientRect();
    return card.checkVisibility() && bottom > 0 && top < window.innerHeight;
  });
}
