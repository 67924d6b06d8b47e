/** Why a job ended without a result: the cause, the fix, its last words; the traceback one click away. */

import type { Job } from "../protocol";
import type { Card } from "../state/card";
import { causeOf, face } from "../state/face";
import { trans } from "../words";
import { copies } from "./clipboard";
import { attribute, element, fill, show } from "./element";

function remedy(reason: Job["reason"]): readonly [text: string, code: string] | null {
  if (reason === "oom_killed") return [trans.__("Fewer rows, a smaller model, or one process at a time:"), "n_jobs=1"];
  if (reason === "timeout") return [trans.__("Give it longer (seconds), or leave it out:"), "timeout=3600"];
  return null;
}

const LAST_WORDS = 2;

export function mount(el: HTMLElement, card: Card): (next: Card) => void {
  const panel = element("div", { class: "failure", role: "alert", "data-testid": "mlops-failure" });
  el.append(panel);
  const update = (next: Card) => {
    const job = face(next) === "failed" ? next.job : null;
    show(panel, job !== null);
    if (job) fill(panel, JSON.stringify([job.error, job.hint, job.reason, job.traceback, job.log_tail]), () => said(job));
  };
  update(card);
  return update;
}

function said(job: Job): HTMLElement[] {
  const text = job.error ?? (causeOf(job.reason) || trans.__("The job failed."));
  const cause = element("p", { class: "cause", "data-testid": "mlops-cause" }, text);
  const { links, traceback } = more(job);
  const block = element("div", { class: "why" }, element("div", {}, ...advice(job)), links);
  return traceback ? [cause, block, traceback] : [cause, block];
}

function advice(job: Job): HTMLElement[] {
  const lines: HTMLElement[] = [];
  const fix = fixOf(job);
  if (fix) lines.push(element("p", { class: "fix", "data-testid": "mlops-fix" }, ...fix));
  const words = job.log_tail.filter((line) => line.trim() !== "").slice(-LAST_WORDS);
  if (words.length > 0) {
    lines.push(element("pre", { class: "log", "data-testid": "mlops-last-lines" }, words.join("\n")));
  }
  return lines;
}

/** A hint of two lines ends with what to paste; backquotes mark code within a sentence. */
function fixOf(job: Job): (Node | string)[] | null {
  const lines = job.hint?.split("\n") ?? remedy(job.reason);
  if (!lines) return null;
  const last = lines.length > 1 ? lines.at(-1) : undefined;
  const text = (last === undefined ? lines : lines.slice(0, -1)).join(" ");
  const pieces = text.split(/`([^`]+)`/).map((piece, i) => (i % 2 ? element("code", {}, piece) : piece));
  return last === undefined ? pieces : [...pieces, " ", element("code", {}, last)];
}

function more(job: Job): { links: HTMLElement; traceback: HTMLElement | null } {
  const details = element("button", { class: "link", type: "button", "data-testid": "mlops-copy-details" }, trans.__("Copy details"));
  copies(details, () => report(job));
  const links = element("div", { class: "links" }, details);
  if (!job.traceback) return { links, traceback: null };
  const text = element("pre", { class: "log traceback", tabindex: "0", hidden: true, "data-testid": "mlops-traceback" }, job.traceback);
  const toggle = element(
    "button",
    { class: "link", type: "button", "aria-expanded": "false", "data-testid": "mlops-show-traceback" },
    trans.__("Show traceback"),
  );
  toggle.addEventListener("click", () => {
    show(text, text.hidden === true);
    attribute(toggle, "aria-expanded", String(!text.hidden));
    toggle.textContent = text.hidden ? trans.__("Show traceback") : trans.__("Hide traceback");
  });
  links.prepend(toggle);
  return { links, traceback: text };
}

/** Everything a colleague needs to see, as text. */
export function report(job: Job): string {
  const lines = [
    `${job.name} ${job.job_id}: ${job.status}${job.reason ? ` (${job.reason})` : ""}`,
    job.current_stage && `stage: ${job.current_stage}`,
    job.error,
    job.hint,
    job.traceback,
    job.log_tail.length > 0 && `last lines:\n${job.log_tail.join("\n")}`,
    Object.entries(job.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", "),
  ];
  return lines.filter(Boolean).join("\n");
}
