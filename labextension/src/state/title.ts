/** What the title of a page of its own says: a glance at the tab tells how it stands. */

import type { Board } from "./board";
import { isOver, shortId } from "./job";
import { nameOf, nounOf } from "./nouns";
import { row, summary } from "./rows";

/** `◐ penguins-mlp 58 % ~0:04 · mlops`; of anything else its name; without any, what all jobs come to. */
export function title(board: Board, id: string | null): string {
  const whole = summary(board);
  if (whole.trouble) return `✕ ${whole.text}`;
  if (id === null) return whole.text === "mlops" ? "mlops" : `◐ ${whole.text} · mlops`;
  if (nounOf(id) !== "job") return `${nameOf(board, id)} · mlops`;
  const job = board.jobs.get(id);
  if (!job) return `${shortId(id)} · mlops`;
  const { name, figures } = row(job, board);
  const sign = !isOver(job) ? "◐" : job.status === "completed" ? "✓" : job.status === "cancelled" ? "◼" : "✕";
  return `${sign} ${name} ${figures}`.trimEnd() + " · mlops";
}
