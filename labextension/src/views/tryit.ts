/** A form of a model's columns, filled with a real row where there is one; its answer, and what is wrong at which field. */

import type { Column } from "../state/assets";
import { figure } from "../state/figures";
import { type Answer, type ExampleRow, milliseconds, modelOf, type ModelSight, valueOf } from "../state/modelcard";
import { trans } from "../words";
import { attribute, element, fill, say, show } from "./element";

type Input = HTMLInputElement | HTMLSelectElement;

export function mount(el: HTMLElement, ask: (row: ExampleRow) => void, toDeploy: () => void): { update(sight: ModelSight): void; row(): ExampleRow | null } {
  const not = element("p", { class: "note" });
  const deploy = element("button", { class: "button", type: "button" }, trans.__("Deploy…"));
  deploy.addEventListener("click", toDeploy);
  const notDeployed = element("div", { "data-testid": "mlops-try-not" }, not, deploy);
  const fields = element("div", { class: "fields" });
  const source = element("p", { class: "note" });
  const send = element("button", { class: "button", type: "submit", "data-testid": "mlops-predict" }, trans.__("Predict"));
  const wrong = element("p", { class: "failure", role: "alert", "data-testid": "mlops-predict-trouble" });
  const answer = element("div", { class: "answer", role: "status", "data-testid": "mlops-answer" });
  const form = element("form", { novalidate: true }, source, fields, element("p", { class: "right-of" }, send), wrong, answer);
  el.append(notDeployed, form);
  let inputs = new Map<string, { column: Column; input: Input; fault: HTMLElement }>();
  let typed = false;
  let filledFrom: ExampleRow | null = null;
  fields.addEventListener("input", () => {
    typed = true;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const row = read();
    if (row) ask(row);
  });

  return { update, row: read };

  function read(): ExampleRow | null {
    if (inputs.size === 0) return null;
    return Object.fromEntries([...inputs].map(([name, { column, input }]) => [name, valueOf(column, input.value)]));
  }

  function update(sight: ModelSight): void {
    const model = modelOf(sight);
    const answers = model?.status === "deployed";
    say(not, trans.__("Only a model that is deployed answers."));
    show(notDeployed, model !== null && !answers);
    const columns = model?.signature.inputs ?? [];
    show(form, model !== null);
    fill(fields, JSON.stringify(columns), () => {
      inputs = new Map();
      return columns.map(field);
    });
    if (sight.example && sight.example !== filledFrom && !typed) {
      filledFrom = sight.example;
      for (const [name, { input }] of inputs) input.value = String(sight.example[name] ?? "");
    }
    say(source, filledFrom ? trans.__("Filled with a row of its data. Empty: missing.") : trans.__("Empty: missing."));
    send.disabled = !answers || sight.busy !== null;
    for (const [name, { input, fault }] of inputs) {
      const found = sight.faults.find((one) => one.column === name);
      say(fault, found ? found.message : "");
      show(fault, found !== undefined);
      attribute(input, "aria-invalid", found ? "true" : null);
    }
    // What belongs to no field that is there is said for the whole.
    const rest = sight.faults.filter((one) => one.column === null || !inputs.has(one.column)).map((one) => one.message);
    say(wrong, rest.join(" "));
    show(wrong, rest.length > 0);
    fill(answer, JSON.stringify(sight.answer), () => (sight.answer ? said(sight.answer) : []));
  }

  function field(column: Column, at: number): HTMLElement {
    const id = `field-${at}`;
    const input =
      column.kind === "boolean"
        ? element("select", { id }, ...["", "true", "false"].map((value) => element("option", { value }, value === "" ? "—" : value === "true" ? trans.__("yes") : trans.__("no"))))
        : element("input", { id, type: "text", autocomplete: "off", inputmode: column.kind === "number" ? "decimal" : null, placeholder: column.dtype });
    const fault = element("span", { class: "fault", id: `fault-${at}`, hidden: true });
    attribute(input, "aria-describedby", `fault-${at}`);
    attribute(input, "data-column", column.name);
    inputs.set(column.name, { column, input, fault });
    return element("div", { class: "field" }, element("label", { for: id, title: column.name }, column.name), input, fault);
  }
}

function said({ predictions, probabilities, classes, ms }: Answer): HTMLElement[] {
  const [value] = predictions;
  const text = typeof value === "number" ? figure(value) : String(value ?? "—");
  const bars = (probabilities?.[0] ?? [])
    .map((probability, at) => ({ probability, name: String(classes?.[at] ?? at) }))
    .sort((one, other) => other.probability - one.probability)
    .slice(0, 10)
    .map(({ probability, name }) => {
      const bar = element("i", {});
      bar.style.width = `${100 * probability}%`;
      return element("div", { class: "part" }, element("span", { class: "of", title: name }, name), element("span", { class: "bar-of" }, bar), element("span", {}, figure(probability)));
    });
  return [element("p", { class: "said" }, element("b", {}, text), " ", element("span", { class: "note" }, milliseconds(ms))), ...bars];
}
