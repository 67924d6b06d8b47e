/** A model in a tab: what it is, a place to try it, where it answers, and the versions of its name. */

import { ago, figure, UNKNOWN } from "../state/figures";
import { shortId } from "../state/job";
import { elsewhere, type ExampleRow, facts, headline, label, modelOf, type ModelSight, story, type Tab, TABS, versionsOf } from "../state/modelcard";
import { statusMark, statusWord } from "../state/models";
import { trans } from "../words";
import assetCss from "./asset.css";
import css from "./card.css";
import { type DeployActs, mount as mountDeploy } from "./deploy";
import { attribute, element, fill, say, show } from "./element";
import { draw, mark } from "./marks";
import modelCss from "./modelcard.css";
import { type ModelOrders, mount as mountOrders } from "./modelorders";
import { tabs } from "./tabs";
import { dress, watchTheme } from "./theme";
import { mount as mountTry } from "./tryit";

export interface ModelActs extends DeployActs, ModelOrders {
  /** Shows a job, a dataset or another version. */
  open(id: string): void;
  predict(row: ExampleRow): void;
}

export function mount(el: HTMLElement, sight: ModelSight, signal: AbortSignal, acts: ModelActs, first: Tab = "overview"): (next: ModelSight) => void {
  const root = el.shadowRoot ?? el.attachShadow({ mode: "open" });
  const box = element("section", { class: "card asset model", role: "group", "data-testid": "mlops-model" });
  root.replaceChildren(element("style", {}, css), element("style", {}, assetCss), element("style", {}, modelCss), box);
  signal.addEventListener("abort", () => root.replaceChildren());
  watchTheme(() => {
    dress(box);
  }, signal);

  const shape = mark("pending");
  const word = element("b", { class: "word", "data-testid": "mlops-model-state" });
  const name = element("h2", { class: "name", "data-testid": "mlops-model-name" });
  const id = element("code", { class: "id" });
  const aliases = element("span", { class: "aliases" });
  const trouble = element("p", { class: "failure", role: "alert", "data-testid": "mlops-model-trouble" });
  const panels: Record<Tab, HTMLElement> = { overview: element("div", {}), try: element("div", {}), deploy: element("div", {}), history: element("div", {}) };
  const words: Record<Tab, string> = { overview: trans.__("Overview"), try: trans.__("Try it"), deploy: trans.__("Deploy"), history: trans.__("History") };
  const { bar, choose } = tabs(trans.__("Parts of the model card"), TABS.map((one) => [one, words[one], panels[one]] as const), () => {});
  const [right, asking] = [element("div", { class: "right" }), element("div", {})];
  box.append(
    element("div", { class: "header" }, element("div", { class: "title" }, shape, word, name, id, aliases), right),
    asking,
    trouble,
    bar,
    ...TABS.map((one) => panels[one]),
  );

  const score = element("p", { class: "score-of", "data-testid": "mlops-model-score" });
  const list = element("dl", { class: "facts", "data-testid": "mlops-model-facts" });
  const differs = element("p", { class: "note", "data-testid": "mlops-model-differs" });
  const origin = element("p", { class: "buttons" });
  const metricsHead = element("h3", {}, trans.__("Metrics"));
  const metrics = element("dl", { class: "facts" });
  panels.overview.append(score, list, differs, origin, metricsHead, metrics);
  const trying = mountTry(panels.try, acts.predict, () => choose("deploy", true));
  const deploying = mountDeploy(panels.deploy, acts, () => trying.row());
  const versions = element("ul", { class: "listed", "data-testid": "mlops-model-versions" });
  const happenedHead = element("h3", {}, trans.__("What became of it"));
  const happened = element("ul", { class: "listed", "data-testid": "mlops-model-history" });
  panels.history.append(versions, happenedHead, happened);
  const ordering = mountOrders(right, asking, signal, acts);

  const update = (next: ModelSight) => {
    dress(box);
    const model = modelOf(next);
    attribute(box, "aria-label", trans.__("Model %1", model ? label(model) : shortId(next.id)));
    draw(shape, model ? statusMark(model.status) : "known");
    say(word, model ? statusWord(model.status) : "");
    say(name, model ? label(model) : trans.__("Model"));
    attribute(name, "title", model?.name ?? null);
    say(id, shortId(next.id));
    attribute(id, "title", next.id);
    fill(aliases, JSON.stringify(model?.aliases), () => (model?.aliases ?? []).map((one) => element("span", { class: "alias" }, one)));
    const why = next.trouble ?? (next.models !== null && model === null ? trans.__("No such model any more.") : null);
    say(trouble, why ?? "");
    show(trouble, why !== null);
    show(bar, model !== null);
    for (const one of TABS) attribute(panels[one], "data-empty", model === null);
    ordering(model);
    if (!model) return;
    const { metric, value, on } = headline(model);
    fill(score, JSON.stringify([metric, value, on]), () => [`${metric} `, element("b", {}, value), ` ${on}`]);
    const told: [string, string][] = [...facts(model), [trans.__("registered"), ago(model.created, next.now)]];
    fill(list, JSON.stringify(told), () => told.map(([label, text]) => fact(label, text)));
    const other = elsewhere(next.differs);
    fill(differs, other, () => [mark("warning"), ` ${other}`]);
    show(differs, other !== "");
    fill(origin, JSON.stringify(model.provenance), () => {
      const { job_id, job_deleted, dataset } = model.provenance;
      const made = trans.__("Job %1", shortId(job_id));
      const from = job_deleted ? element("span", {}, trans.__("%1, deleted", made)) : link(made, job_id);
      return [from, dataset?.id ? link(trans.__("Dataset %1", dataset.name), dataset.id) : null];
    });
    const measured = Object.entries(model.metrics);
    show(metricsHead, measured.length > 0);
    fill(metrics, JSON.stringify(measured), () => measured.map(([label, number]) => fact(label, figure(number))));
    trying.update(next);
    deploying(next);
    listVersions(next);
    const events = story(next);
    show(happenedHead, events.length > 0);
    fill(happened, JSON.stringify([events, Math.floor(next.now / 60_000)]), () =>
      events.map(({ time, said }) => element("li", {}, element("time", { datetime: time, title: new Date(time).toLocaleString() }, ago(time, next.now)), element("span", {}, said))),
    );
  };
  choose(first);
  update(sight);
  return update;

  function listVersions(next: ModelSight): void {
    const model = modelOf(next);
    const all = model ? versionsOf(next.models, model.name) : [];
    fill(versions, JSON.stringify([all, next.id, Math.floor(next.now / 60_000)]), () =>
      all.map((one) => {
        const button = link(`v${one.version}`, one.model_id);
        attribute(button, "aria-current", one.model_id === next.id ? "true" : null);
        const scored = `${one.metric ?? trans.__("score")} ${one.score === null ? UNKNOWN : figure(one.score)}`;
        const note = [statusWord(one.status), one.aliases.join(", "), scored, one.estimator ?? "", ago(one.created, next.now)];
        return element("li", {}, mark(statusMark(one.status)), button, element("span", {}, note.filter(Boolean).join(" · ")));
      }),
    );
  }

  function link(text: string, to: string): HTMLElement {
    const button = element("button", { class: "link", type: "button" }, text);
    button.addEventListener("click", () => acts.open(to));
    return button;
  }
}

const LONG = 30;

function fact(name: string, text: string): HTMLElement {
  return element("div", { class: text.length > LONG ? "long" : "" }, element("dt", {}, name), element("dd", {}, text));
}
