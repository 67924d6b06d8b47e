/** A pipeline in a place of its own: its recipe stage by stage, what can be done with it, and the last run of it below. */

import { ago } from "../state/figures";
import { shortId } from "../state/job";
import { type Pipeline, told } from "../state/pipelines";
import { trans } from "../words";
import assetCss from "./asset.css";
import css from "./card.css";
import { attribute, element, say, show } from "./element";
import { keepKeys } from "./keys";
import { mark } from "./marks";
import { mount as mountOne, type PipelineActs } from "./pipeline";
import recipeCss from "./recipe.css";
import { dress, watchTheme } from "./theme";
import { mount as mountTold } from "./told";

export interface PipelineSight {
  id: string;
  /** Null while nobody has said what it is, and after it was deleted. */
  pipeline: Pipeline | null;
  trouble: string | null;
  now: number;
}

/** `run`: where the last run of it is shown, whose views have a root of their own. */
export function mount(el: HTMLElement, sight: PipelineSight, signal: AbortSignal, acts: Omit<PipelineActs, "tell">): { update(next: PipelineSight): void; run: HTMLElement } {
  const root = el.shadowRoot ?? el.attachShadow({ mode: "open" });
  const box = element("section", { class: "card asset pipeline", role: "group", "data-testid": "mlops-pipeline" });
  root.replaceChildren(element("style", {}, css), element("style", {}, assetCss), element("style", {}, recipeCss), box);
  signal.addEventListener("abort", () => root.replaceChildren());
  keepKeys(el, box);
  watchTheme(() => {
    dress(box);
  }, signal);
  const name = element("h2", { class: "name", "data-testid": "mlops-pipeline-title" });
  const id = element("code", { class: "id" });
  const line = element("p", { class: "result" });
  const trouble = element("p", { class: "failure", role: "alert", "data-testid": "mlops-pipeline-trouble" });
  const place = element("div", {});
  const run = element("div", { class: "run", "data-testid": "mlops-pipeline-last" });
  box.append(element("div", { class: "header" }, element("div", { class: "title" }, mark("table"), name, id)), line, trouble, place);
  const tell = mountTold(box, signal, "pipeline-told");
  box.append(run);
  let one: { change(next: Pipeline): void; leaving: AbortController } | null = null;

  const update = (next: PipelineSight) => {
    dress(box);
    const { pipeline } = next;
    const called = pipeline ? `${pipeline.name} v${pipeline.version}` : trans.__("Pipeline");
    attribute(box, "aria-label", trans.__("Pipeline %1", pipeline?.name ?? shortId(next.id)));
    say(name, called);
    attribute(name, "title", pipeline?.name ?? null);
    say(id, shortId(next.id));
    attribute(id, "title", next.id);
    say(line, pipeline ? [told(pipeline), pipeline.by, ago(pipeline.updated, next.now)].join(" · ") : "");
    say(trouble, next.trouble ?? "");
    show(trouble, next.trouble !== null);
    show(place, pipeline !== null);
    if (!pipeline) {
      one?.leaving.abort();
      one = null;
      place.replaceChildren();
      return;
    }
    if (!one) {
      const leaving = new AbortController();
      const change = mountOne(place, pipeline, AbortSignal.any([signal, leaving.signal]), { ...acts, tell }, true);
      one = { change, leaving };
    }
    one.change(pipeline);
  };
  update(sight);
  return { update, run };
}
