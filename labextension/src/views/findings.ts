/** What the data checks found: a count on the card, the sentences one click away. */

import type { Finding } from "../protocol";
import type { Card } from "../state/card";
import { trans } from "../words";
import { attribute, element, fill, say, show } from "./element";
import { mark } from "./marks";
import { popover } from "./popover";

const ORDER: readonly Finding["severity"][] = ["fatal", "warning", "info"];

export function mount(el: HTMLElement, card: Card, signal: AbortSignal): (next: Card) => void {
  const word = element("span", {});
  const button = element(
    "button",
    { class: "quiet findings", type: "button", "data-testid": "mlops-findings" },
    mark("warning"),
    word,
  );
  let findings: readonly Finding[] = [];
  const name = { label: trans.__("Findings"), testid: "mlops-findings-list", role: "dialog" };
  const list = popover(button, name, () => fill(list.panel, JSON.stringify(findings), () => [sentences(findings)]), signal);
  el.append(button, list.panel);

  const update = (next: Card) => {
    findings = [...(next.job?.findings ?? [])].sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
    show(button, findings.length > 0);
    say(word, String(findings.length));
    const label = trans._n("%1 finding in the data", "%1 findings in the data", findings.length);
    attribute(button, "aria-label", label);
    attribute(button, "title", label);
    button.classList.toggle("grave", findings.some((finding) => finding.severity !== "info"));
  };
  update(card);
  return update;
}

function sentences(findings: readonly Finding[]): HTMLElement {
  return element(
    "ul",
    { class: "sentences" },
    ...findings.map((finding) =>
      element(
        "li",
        { "data-severity": finding.severity },
        element("b", {}, `${word(finding.severity)}: `),
        ...column(finding),
        finding.message,
      ),
    ),
  );
}

function word(severity: Finding["severity"]): string {
  return { fatal: trans.__("Stops the job"), warning: trans.__("Warning"), info: trans.__("Note") }[severity];
}

/** The column, where the sentence does not name it itself. */
function column(finding: Finding): (HTMLElement | string)[] {
  if (finding.column === null || finding.message.includes(finding.column)) return [];
  return [element("code", {}, finding.column), " "];
}
