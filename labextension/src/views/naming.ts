/** A form that asks for a name. What is refused is said beside it, and can be tried again. */

import { trans } from "../words";
import { element, say } from "./element";
import { message } from "./told";

/** `word`: what the name is for. `leave`: the user wants no name after all. */
export function naming(word: string, name: string, then: (name: string) => Promise<void>, leave: () => void): HTMLFormElement {
  const box = element("input", { type: "text", "data-testid": "mlops-naming", spellcheck: "false" });
  box.value = name;
  const said = element("p", { class: "note", role: "status", "data-testid": "mlops-name-told" });
  const go = element("button", { class: "button", type: "submit", "data-testid": "mlops-named" }, word);
  const form = element("form", { class: "naming" }, element("label", {}, element("span", {}, trans.__("Name")), box), go, said);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go.disabled = true;
    say(said, trans.__("Checking…"));
    then(box.value.trim()).catch((error) => {
      go.disabled = false;
      say(said, message(error));
    });
  });
  form.addEventListener("keydown", (event) => {
    // A letter typed here is no shortcut of the notebook's.
    event.stopPropagation();
    if (event.key === "Escape") leave();
  });
  return form;
}
