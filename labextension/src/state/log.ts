/** The last lines a job wrote. Not here: the whole of it, which the server keeps. */

export interface Log {
  /** Number of the first line kept, from 0. */
  first: number;
  lines: readonly string[];
}

export const NO_LOG: Log = { first: 0, lines: [] };
const MOST_LINES = 200;

export function written(log: Log, first: number, lines: readonly string[]): Log {
  const end = log.first + log.lines.length;
  // Lines between were merged away, or more of the past was asked for: what comes stands alone.
  if (first > end || log.lines.length === 0 || (first < log.first && first + lines.length >= end)) {
    return trimmed({ first, lines });
  }
  const known = log.lines.slice(0, Math.max(first - log.first, 0));
  return first + lines.length <= end && known.length < log.lines.length
    ? log
    : trimmed({ first: Math.min(log.first, first), lines: [...known, ...lines] });
}

function trimmed(log: Log): Log {
  const over = Math.max(log.lines.length - MOST_LINES, 0);
  return over ? { first: log.first + over, lines: log.lines.slice(over) } : log;
}
