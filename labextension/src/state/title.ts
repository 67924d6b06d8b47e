/** What the title of a page of its own says: a glance at the tab tells how it stands. */

import type { Board } from "./board";
import { isOver, shortId } from "./job";
import { row, summary } from "./rows";

/** `◐ penguins-mlp 58 % ~0:04 · mlops`; without a job, what all come to. */
export function title(board: Board, jobId: string | null): string {
  const whole = summary(board);
  if (whole.trouble) return `✕ ${whole.text}`;
  if (jobId === null) return whole.text === "mlops" ? "mlops" : `◐ ${whole.text} · mlops`;
  const job = board.jobs.get(jobId);
  if (!job) return `${shortId(jobId)} · mlops`;
  const { name, figures } = row(job, board.now);
  const sign = !isOver(job) ? "◐" : job.status === "completed" ? "✓" : job.status === "cancelled" ? "◼" : "✕";
  return `${sign} ${name} ${figures}`.trimEnd() + " · mlops";
}
