/** What a user can ask for on a card. Views say it, hosts do it. */

import { trans } from "../words";
import { shortId } from "./job";

export type Action =
  | { do: "stop" }
  | { do: "pause" }
  | { do: "resume" }
  /** Hear no more of a rule of alerts about this job. */
  | { do: "mute"; rule: string }
  /** Train again; the card then shows the next attempt. */
  | { do: "rerun" }
  /** Keep what it was asked for as a pipeline of this name. */
  | { do: "keep"; name: string }
  /** Delete it for good; the card then shows what it knows. */
  | { do: "delete" }
  /** Show the model it has made, or where that is deployed. */
  | { do: "model"; deploy: boolean }
  /** Try the connection now. */
  | { do: "reconnect" }
  | { do: "use"; way: "auto" | "polling" }
  /** Fetch the last lines of the job's output. */
  | { do: "log" }
  /** Fetch the points from one step to another in their own detail. */
  | { do: "look"; from: number; to: number }
  /** Save all measured values as a file. */
  | { do: "csv" };

const COMMANDS = { stop: "jobs stop", pause: "jobs pause", resume: "jobs resume", rerun: "rerun", delete: "jobs rm", log: "jobs logs" } as const;

/** What is said of a wish that a busy kernel does not hear, and what fulfils it meanwhile. */
export function unheard(wish: Action["do"], jobId: string): string {
  const told = trans.__("The kernel is busy: it hears this when its cell ends or is interrupted.");
  const command = COMMANDS[wish as keyof typeof COMMANDS];
  if (!command) return told;
  const typed = `mlops ${command} ${shortId(jobId)}`;
  return `${told} ${trans.__("At once, in a terminal: %1", typed)}`;
}

/** What is said when the server would not. */
export function refused(action: Action): string {
  switch (action.do) {
    case "stop":
      return trans.__("Not stopped");
    case "pause":
      return trans.__("Not paused");
    case "resume":
      return trans.__("Not resumed");
    case "mute":
      return trans.__("Not muted");
    case "rerun":
      return trans.__("Not run again");
    case "keep":
      return trans.__("Not kept");
    case "delete":
      return trans.__("Not deleted");
    case "log":
      return trans.__("No log");
    case "look":
      return trans.__("No more detail");
    default:
      return trans.__("No file");
  }
}

export type Act = (action: Action) => void;
