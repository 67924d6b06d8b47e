/** In what two versions of a pipeline differ: which two is chosen, the newest and the one before to begin with. */

import { type Difference, type Pipeline, type Pipelines, type Revision, valueOf } from "../state/pipelines";
import { ago } from "../state/figures";
import { trans } from "../words";
import { element, say } from "./element";
import { message } from "./told";

export function mount(el: HTMLElement, pipeline: Pipeline, door: Pipelines, signal: AbortSignal): void {
  const [from, to] = [choice(trans.__("From version"), "from"), choice(trans.__("To version"), "to")];
  const list = element("dl", { class: "differences", "data-testid": "mlops-differences" });
  const said = element("p", { class: "note", role: "status", "data-testid": "mlops-compare-told" });
  el.append(element("p", { class: "compared" }, from, " → ", to), said, list);
  let asked = 0;
  void begin();

  async function begin(): Promise<void> {
    try {
      const versions = await door.versions(pipeline);
      if (signal.aborted) return;
      for (const select of [from, to]) select.append(...[...versions].reverse().map(option));
      from.value = String(pipeline.version - 1);
      to.value = String(pipeline.version);
      for (const select of [from, to]) select.addEventListener("change", () => void compare());
      await compare();
    } catch (error) {
      say(said, message(error));
    }
  }

  async function compare(): Promise<void> {
    asked += 1;
    const mine = asked;
    try {
      const found = await door.compare(pipeline, Number(from.value), Number(to.value));
      // Who chooses on meanwhile wants the answer to the last question alone.
      if (signal.aborted || mine !== asked) return;
      say(said, found.length > 0 ? "" : trans.__("No difference in what they ask for."));
      list.replaceChildren(...found.map(difference));
    } catch (error) {
      if (mine === asked) say(said, message(error));
    }
  }
}

function choice(label: string, what: string): HTMLSelectElement {
  return element("select", { "aria-label": label, "data-testid": `mlops-compare-${what}` });
}

function option({ version, by, time }: Revision): HTMLOptionElement {
  return element("option", { value: String(version) }, `v${version} · ${by} · ${ago(time, Date.now())}`);
}

function difference({ name, before, after }: Difference): HTMLElement {
  return element("div", {}, element("dt", {}, element("code", {}, name)), element("dd", {}, `${valueOf(before)} → `, element("b", {}, valueOf(after))));
}
