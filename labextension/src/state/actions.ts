/** What a user can ask for on a card. Views say it, hosts do it. */

export type Action =
  | { do: "stop" }
  | { do: "pause" }
  | { do: "resume" }
  /** Train again; the card then shows the next attempt. */
  | { do: "rerun" }
  /** Try the connection now. */
  | { do: "reconnect" }
  | { do: "use"; way: "auto" | "polling" }
  /** Fetch the last lines of the job's output. */
  | { do: "log" }
  /** Save all measured values as a file. */
  | { do: "csv" };

export type Act = (action: Action) => void;
