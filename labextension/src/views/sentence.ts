/** One sentence below the numbers, where a state needs one: what is going on, and the command that helps. */

import type { Card } from "../state/card";
import { face } from "../state/face";
import { code, currentStage, notKept } from "../state/job";
import { trans } from "../words";
import { element, fill, show } from "./element";
import { titleOf } from "./stages";

export function mount(el: HTMLElement, card: Card): (next: Card) => void {
  const line = element("p", { class: "sentence", "data-testid": "mlops-sentence" });
  el.append(line);
  const update = (next: Card) => {
    const pieces = said(next);
    show(line, pieces.length > 0);
    fill(line, JSON.stringify(pieces), () =>
      pieces.map((piece) => (typeof piece === "string" ? piece : element("code", {}, piece.code))),
    );
  };
  update(card);
  return update;
}

type Piece = string | { code: string };

function said(card: Card): Piece[] {
  if (card.notice !== null) return [card.notice];
  const { job, connection } = card;
  if (card.deleted !== null) return [trans.__("Deleted by %1. What is shown here is all that is left of it.", card.deleted)];
  // A failure says its cause by itself.
  if (job?.unreadable && face(card) !== "failed") return [job.error ?? job.message];
  switch (face(card)) {
    case "unknown":
      return card.asked === null && card.source !== "server"
        ? [trans.__("No record of this job here.")]
        : [trans.__("Asking the server for its record.")];
    case "queued":
      return [
        job?.waiting_for === "memory"
          ? trans.__("Waiting for memory: starts by itself when enough is free.")
          : trans.__("Starts by itself when a place is free."),
      ];
    case "cancelled": {
      const stage = job && job.start_time !== null ? currentStage(job)?.stage.name : undefined;
      const where = stage ? `${trans.__("Stopped in %1.", titleOf(stage))} ` : "";
      return [where + (job?.model_id ? trans.__("The model was saved.") : trans.__("No model was saved."))];
    }
    case "gone":
      return connection.shown === "forbidden"
        ? [trans.__("You are signed out of this server: the job may still be running. Reload the page to sign in.")]
        : [`${trans.__("The job may still be running. When the server is back:")} `, { code: "%mlops status" }, ` ${trans.__("or")} `, { code: code(card.jobId) }];
    case "finished": {
      const reason = job && notKept(job);
      return reason ? [`${trans.__("Model not saved.")} ${reason}`] : [];
    }
    case "running":
    case "failed":
      return [];
  }
}
