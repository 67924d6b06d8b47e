/** Bringing a model to where it answers, back, and away; where that is; and how much it is asked. */

import { address, answering, consequence, curl, emptyRow, type ExampleRow, label, modelOf, type ModelSight, previous, python } from "../state/modelcard";
import { trans } from "../words";
import { copies } from "./clipboard";
import { element, say, show } from "./element";
import { draw, mark } from "./marks";
import { mount as mountVolume } from "./volume";

export interface DeployActs {
  deploy(modelId: string): void;
  undeploy(modelId: string): void;
  rollback(endpointId: string): void;
}

/** `row`: what is in the form, to ask with. */
export function mount(el: HTMLElement, acts: DeployActs, row: () => ExampleRow | null): (sight: ModelSight) => void {
  const shape = mark("pending");
  const word = element("b", {});
  const where = element("span", { class: "where-of", "data-testid": "mlops-endpoint" });
  const state = element("p", { class: "state", "data-testid": "mlops-deploy-state" }, shape, word, where);
  const error = element("p", { class: "failure", role: "alert", "data-testid": "mlops-deploy-error" });
  const asCurl = element("button", { class: "button", type: "button", "data-testid": "mlops-copy-curl" }, trans.__("Copy as curl"));
  const asPython = element("button", { class: "button", type: "button", "data-testid": "mlops-copy-python" }, trans.__("Copy as Python"));
  const copying = element("p", { class: "buttons" }, asCurl, asPython);
  const ask = element("button", { class: "button", type: "button", "data-testid": "mlops-deploy" });
  const back = element("button", { class: "button", type: "button", "data-testid": "mlops-rollback" });
  const away = element("button", { class: "button", type: "button", "data-testid": "mlops-undeploy" }, trans.__("Undeploy"));
  const buttons = element("p", { class: "buttons" }, ask, back, away);
  const what = element("p", { "data-testid": "mlops-deploy-consequence" });
  const now = element("button", { class: "button", type: "button", "data-testid": "mlops-deploy-now" });
  const no = element("button", { class: "button", type: "button" }, trans.__("Not now"));
  const asked = element("div", { class: "asked", hidden: true }, what, element("p", { class: "buttons" }, now, no));
  const volume = element("div", {});
  el.append(state, error, copying, buttons, asked, volume);
  const updateVolume = mountVolume(volume);
  let shown: ModelSight | null = null;
  const given = () => row() ?? (shown && modelOf(shown) ? emptyRow(modelOf(shown) as NonNullable<ReturnType<typeof modelOf>>) : {});
  copies(asCurl, () => curl((shown && address(shown)) ?? "", given()));
  copies(asPython, () => {
    const current = shown && answering(shown);
    return current ? python(current, given()) : "";
  });
  ask.addEventListener("click", () => {
    show(asked, true);
    now.focus();
  });
  const close = () => {
    show(asked, false);
    ask.focus();
  };
  no.addEventListener("click", close);
  now.addEventListener("click", () => {
    if (shown) acts.deploy(shown.id);
    close();
  });
  back.addEventListener("click", () => shown?.endpoint && acts.rollback(shown.endpoint.endpoint_id));
  away.addEventListener("click", () => shown?.endpoint?.model_id && acts.undeploy(shown.endpoint.model_id));

  return (sight) => {
    shown = sight;
    const model = modelOf(sight);
    const { endpoint } = sight;
    const current = answering(sight);
    const coming = endpoint?.next_model_id === sight.id || sight.busy === "deploy";
    const here = current !== null && current.model_id === sight.id;
    draw(shape, coming ? "starting" : here ? "live" : endpoint?.status === "failed" ? "failed" : "pending");
    say(word, coming ? trans.__("Deploying") : here ? trans.__("Deployed") : current ? trans.__("%1 is deployed", label(current)) : endpoint?.status === "failed" ? trans.__("Failed") : trans.__("Not deployed"));
    const url = current ? address(sight) : null;
    say(where, url ?? "");
    show(where, url !== null);
    show(copying, url !== null);
    say(error, endpoint?.error ?? "");
    show(error, Boolean(endpoint?.error));
    const retired = model?.status === "retired";
    show(ask, model !== null && !here && !coming && !retired);
    say(ask, model ? trans.__("Deploy v%1…", String(model.version)) : "");
    if (ask.hidden) show(asked, false);
    say(what, consequence(sight));
    say(now, model ? trans.__("Deploy v%1 now", String(model.version)) : "");
    const before = previous(sight);
    show(back, here && before !== null);
    say(back, before ? trans.__("Roll back to v%1", String(before.version)) : "");
    show(away, here);
    for (const one of [now, back, away]) one.disabled = sight.busy !== null;
    show(volume, current !== null);
    updateVolume(sight.monitoring, sight.now);
  };
}
