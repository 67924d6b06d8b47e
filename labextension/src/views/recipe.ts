/** The editor of a pipeline: its eight stages, a row each, of which what can be chosen is edited in place. */

import type { Dataset } from "../state/assets";
import { changed, type Pipeline, type Pipelines, type Recipe, shown, steps, type Table, tablesOf, valueOf } from "../state/pipelines";
import { trans } from "../words";
import { attribute, element, say, show } from "./element";
import { titleOf } from "./stages";

/** `saved` is called with the new version. What was written and is not saved stays until `signal` ends it. */
export function mount(el: HTMLElement, pipeline: Pipeline, door: Pipelines, signal: AbortSignal, saved: (next: Pipeline) => void): { touched(): boolean } {
  let recipe: Recipe = pipeline.recipe;
  let tables: readonly Table[] = [];
  const known = element("datalist", { id: `tables-${pipeline.id}`, "data-testid": "mlops-tables" });
  door.datasets().then(offer, () => {
    // Where nobody can say which there are, a path can be written.
  });
  const boxes: { read(): void; touched(): boolean }[] = [];
  const list = element("ol", { class: "recipe", "data-testid": "mlops-recipe" });
  for (const step of steps(recipe)) {
    const says = element("span", { class: "note" }, step.says);
    const fields = element("div", { class: "fields", hidden: true });
    const row = element("li", {}, element("b", {}, titleOf(step.stage)), says, fields);
    for (const field of step.fields) {
      const box = element("input", { type: "text", "data-testid": `mlops-field-${field.name}`, spellcheck: "false", list: field.kind === "table" ? known.id : null });
      box.value = shown(recipe, field);
      const before = box.value;
      fields.append(element("label", {}, element("code", {}, field.name), box));
      boxes.push({
        touched: () => box.value !== before,
        read: () => {
          attribute(box, "aria-invalid", null);
          if (box.value === before) return;
          try {
            recipe = changed(recipe, field, box.value, tables);
          } catch (error) {
            attribute(box, "aria-invalid", "true");
            throw new Error(trans.__("%1 is no JSON: %2", field.name, error instanceof Error ? error.message : ""));
          }
        },
      });
    }
    if (step.fields.length > 0) {
      const edit = element("button", { class: "link", type: "button", "aria-expanded": "false" }, trans.__("Edit"));
      attribute(edit, "aria-label", trans.__("Edit: %1", titleOf(step.stage)));
      edit.addEventListener("click", () => {
        show(fields, Boolean(fields.hidden));
        attribute(edit, "aria-expanded", String(!fields.hidden));
        if (!fields.hidden) fields.querySelector("input")?.focus();
      });
      row.insertBefore(edit, fields);
    }
    list.append(row);
  }
  const save = element("button", { class: "button", type: "button", "data-testid": "mlops-save-pipeline" }, trans.__("Save as v%1", String(pipeline.version + 1)));
  const told = element("p", { class: "note", role: "status", "data-testid": "mlops-recipe-told" });
  el.replaceChildren(list, known, save, told);
  save.addEventListener("click", () => void keep());
  list.addEventListener("keydown", (event) => {
    // A letter typed here is no shortcut of the notebook's.
    if (event.key !== "Escape") event.stopPropagation();
    if (event.key === "Enter" && event.target instanceof HTMLInputElement) void keep();
  });
  return { touched: () => boxes.some((box) => box.touched()) };

  function offer(datasets: readonly Dataset[]): void {
    tables = tablesOf(datasets);
    known.replaceChildren(...tables.map(choice));
  }

  async function keep(): Promise<void> {
    recipe = pipeline.recipe;
    save.disabled = true;
    try {
      for (const box of boxes) box.read();
      // Parameters are checked by a process that imports scikit-learn first.
      say(told, trans.__("Checking…"));
      const next = await door.save(pipeline, recipe);
      if (!signal.aborted) saved(next);
    } catch (error) {
      say(told, error instanceof Error ? error.message : String(error));
    } finally {
      save.disabled = false;
    }
  }
}

function choice(table: Table): HTMLElement {
  return element("option", { value: valueOf(table), label: table.version === null ? trans.__("%1: the newest at each run", valueOf(table)) : null });
}
