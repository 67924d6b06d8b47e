import { describe, expect, test, vi } from "vitest";
import { curl, hoursOf, type ModelSight, python, valueOf, volume } from "../../src/state/modelcard";
import { mount } from "../../src/views/modelcard";
import { aModel, aModelSight, aMonitoring, anEndpoint, DATASET_ID, ENDPOINT_ID, MODEL_ID, NOW } from "../assets";
import { TIME } from "../builders";

function shown(fields: Partial<ModelSight> = {}, refusal: string | null = null) {
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  const asked: unknown[] = [];
  const said = (what: string) => (id: unknown) => asked.push([what, id]);
  const later = (what: string) => async (...told: unknown[]) => {
    asked.push([what, ...told]);
    if (refusal) throw new Error(refusal);
  };
  const orders = { promote: later("promote"), demote: later("demote"), retire: later("retire"), remove: later("remove"), save: later("save") };
  const acts = { ...orders, open: said("open"), deploy: said("deploy"), undeploy: said("undeploy"), rollback: said("rollback"), predict: said("predict") };
  let sight = aModelSight(fields);
  const update = mount(el, sight, new AbortController().signal, acts);
  const root = el.shadowRoot as ShadowRoot;
  const find = (testid: string) => root.querySelector<HTMLElement>(`[data-testid="mlops-${testid}"]`) as HTMLElement;
  const text = (testid: string) => (find(testid).textContent ?? "").replaceAll("\u202f", " ");
  const change = (more: Partial<ModelSight>) => {
    sight = { ...sight, ...more };
    update(sight);
  };
  const menu = () => {
    // happy-dom has no popovers.
    Object.assign(find("model-menu"), { showPopover() {}, hidePopover() {} });
    find("model-more").click();
  };
  const choose = (entry: string) => {
    menu();
    find(`menu-model-${entry}`).click();
  };
  return { asked, change, choose, find, menu, root, text };
}

const DEPLOYED = { models: [aModel({ status: "deployed" })], endpoint: anEndpoint() };
const FORMER = aModel({ model_id: "m-3", version: 3, aliases: [] });

describe("the overview", () => {
  test("tells name, version, aliases, status, and the score with the rows it was measured on", () => {
    const { root, text } = shown();
    expect([text("model-name"), text("model-state"), text("model-score")]).toEqual(["churn-rf v4", "registered", "accuracy 0.9312 on the rows held out"]);
    expect(root.querySelector(".alias")?.textContent).toBe("champion");
    expect(text("model-facts")).toBe(
      "estimatorRandomForestClassifiertargetchurninputs3 columnsdatacustomers v1 · sha 9c1f000…splitrandom · 20 % of the rows held out · 5 folds · seed 0" +
        "size1.2 MBparametersn_estimators=200environmentpython=3.12.3, scikit-learn=1.9.1registered2 min ago",
    );
  });

  test("says of which packages the server has other versions than it was trained with", () => {
    const differs = [{ package: "numpy", trained: "1.9.0", here: "2.5.1" }];
    expect(shown({ differs }).text("model-differs")).toBe(" This server has other versions: numpy 2.5.1 (trained with 1.9.0). Predictions may differ.");
    expect(shown().find("model-differs").hidden).toBe(true);
  });

  test("a score that is not known is a dash", () => {
    expect(shown({ models: [aModel({ score: null })] }).text("model-score")).toBe("accuracy — on the rows held out");
  });

  test("leads to the job and the dataset it came from", () => {
    const { asked, root } = shown();
    for (const button of root.querySelectorAll<HTMLElement>("#panel-overview .buttons .link")) button.click();
    expect(asked).toEqual([["open", "j-7f3a2b4c5d6e"], ["open", DATASET_ID]]);
  });
});

describe("trying it", () => {
  test("is for models that are deployed", () => {
    const { find } = shown();
    expect([find("try-not").hidden, (find("predict") as HTMLButtonElement).disabled]).toEqual([false, true]);
  });

  test("begins with a real row, and sends what is typed as the model takes it", () => {
    const { asked, change, find, root } = shown(DEPLOYED);
    change({ example: { tenure: 34, contract: null, senior: false } });
    const fields = () => [...root.querySelectorAll<HTMLInputElement>("[data-column]")].map((one) => one.value);
    expect(fields()).toEqual(["34", "", "false"]);
    const tenure = root.querySelector<HTMLInputElement>('[data-column="tenure"]') as HTMLInputElement;
    tenure.value = "12,5";
    tenure.dispatchEvent(new Event("input", { bubbles: true }));
    // What somebody typed is theirs.
    change({ example: { tenure: 99, contract: "x", senior: true } });
    expect(fields()).toEqual(["12,5", "", "false"]);
    find("predict").click();
    expect(asked).toEqual([["predict", { tenure: 12.5, contract: null, senior: false }]]);
  });

  test("answers with the class, its probabilities and how long it took", () => {
    const answer = { model_id: MODEL_ID, name: "churn-rf", version: 4, predictions: ["No"], probabilities: [[0.86, 0.14]], classes: ["No", "Yes"], ms: 3.21 };
    expect(shown({ ...DEPLOYED, answer }).text("answer")).toBe("No 3.2 msNo0.8600Yes0.1400");
  });

  test("says at the field what is wrong with it, and of the rest for the whole", () => {
    const faults = [{ column: "tenure", message: 'is "x"; it needs a number' }, { column: "px63", message: "is no column of this model" }, { column: null, message: "no" }];
    const { root, text } = shown({ ...DEPLOYED, faults });
    expect([...root.querySelectorAll(".fault")].map((one) => one.textContent)).toEqual(['is "x"; it needs a number', "", ""]);
    expect(root.querySelector('[data-column="tenure"]')?.getAttribute("aria-invalid")).toBe("true");
    expect(text("predict-trouble")).toBe("is no column of this model no");
  });
});

describe("deploying", () => {
  test("says first what it replaces and how to go back", () => {
    const { asked, find, text } = shown({ models: [aModel(), FORMER], endpoint: anEndpoint({ model_id: "m-3", version: 3 }) });
    expect(text("deploy-state")).toBe("churn-rf v3 is deployedhttp://localhost:8888/user/x/mlops/api/endpoints/e-9f8e7d6c5b4a/predict");
    find("deploy").click();
    expect(text("deploy-consequence")).toBe("churn-rf v4 takes the place of churn-rf v3, which answers until then and is kept: Roll back brings it back.");
    expect(asked).toEqual([]);
    find("deploy-now").click();
    expect(asked).toEqual([["deploy", MODEL_ID]]);
  });

  test("tells where it answers, and leads back and away", () => {
    const { asked, find, text } = shown({ models: [aModel({ status: "deployed" }), FORMER], endpoint: anEndpoint({ history: ["m-3"] }) });
    expect(text("deploy-state")).toContain("Deployed");
    expect(text("rollback")).toBe("Roll back to v3");
    find("rollback").click();
    find("undeploy").click();
    expect(asked).toEqual([["rollback", ENDPOINT_ID], ["undeploy", MODEL_ID]]);
    expect(find("deploy").hidden).toBe(true);
  });

  test("says why it failed, and that the version before goes on", () => {
    const { text } = shown({ models: [aModel(), FORMER], endpoint: anEndpoint({ model_id: "m-3", version: 3, error: "out of memory" }) });
    expect([text("deploy-error"), text("deploy-state").slice(0, 23)]).toEqual(["out of memory", "churn-rf v3 is deployed"]);
  });

  test("shows how much it is asked: figures, hours with gaps, and what comes in otherwise than in training", () => {
    const { root, text } = shown({ ...DEPLOYED, monitoring: aMonitoring() });
    expect(text("volume")).toBe("1 204 predictions · 12/min · p50 9.0 ms · p95 18 ms · errors 0.2 %");
    expect(root.querySelectorAll("[data-testid=mlops-hours] rect")).toHaveLength(2);
    expect(text("drift")).toContain("tenurehas moved far0.31000.2000contractas in training0.0100—Not watched (dates, long texts, beyond the first columns): since");
  });
});

describe("what can be done with it besides", () => {
  test("is an alias, its file, an end and a return", async () => {
    const { asked, change, choose, find, menu, root } = shown();
    choose("promote");
    expect((find("naming") as HTMLInputElement).value).toBe("champion");
    (find("naming") as HTMLInputElement).value = "prod";
    find("named").click();
    await vi.waitFor(() => expect(find("naming")).toBeNull());
    change({ models: [aModel({ aliases: ["champion", "prod"] })] });
    choose("demote-prod");
    change({ models: [aModel()] });
    choose("skops");
    choose("onnx");
    choose("retire");
    change({ models: [aModel({ status: "retired" })] });
    choose("unretire");
    expect(asked).toEqual([["promote", "prod"], ["demote", "prod"], ["save", aModel(), "skops"], ["save", aModel(), "onnx"], ["retire", true], ["retire", false]]);
    menu();
    expect(find("menu-model-promote").title).toBe("It is retired: bring it back first.");
    expect(root.querySelector("[data-testid=mlops-menu-model-retire]")).toBeNull();
  });

  test("deletes when that was asked once more", () => {
    const { asked, choose, find, root } = shown();
    choose("delete");
    expect(find("model-delete").textContent).toContain("churn-rf v4 and its file are gone then");
    expect(root.activeElement?.textContent).toBe("Not now");
    (root.activeElement as HTMLElement).click();
    expect([find("model-delete").hidden, asked]).toEqual([true, []]);
    choose("delete");
    find("model-delete-now").click();
    expect(asked).toEqual([["remove"]]);
  });

  test("is refused while it answers, and says what the server refuses", async () => {
    const live = shown(DEPLOYED);
    live.menu();
    for (const entry of ["retire", "delete"]) {
      live.find(`menu-model-${entry}`).click();
      expect(live.find(`menu-model-${entry}`).title).toBe("It answers: undeploy it first.");
    }
    expect([live.asked, live.find("model-delete").hidden]).toEqual([[], true]);
    const refused = shown({}, "text cannot be said in ONNX");
    refused.choose("onnx");
    await vi.waitFor(() => expect(refused.text("model-told")).toBe("text cannot be said in ONNX"));
  });
});

test("its history is what became of it, the newest first", () => {
  const said = { time: TIME, seq: 1, priority: "low" } as const;
  const history: ModelSight["history"] = [
    { ...said, type: "model_status", model_id: MODEL_ID, name: "churn-rf", version: 4, previous: null, status: "registered", by: null, why: null },
    { ...said, type: "model_aliased", model_id: MODEL_ID, name: "churn-rf", version: 4, alias: "<b>", previous: null, by: "ada" },
    { ...said, type: "model_aliased", model_id: "m-3", name: "churn-rf", version: 3, alias: "<b>", previous: MODEL_ID, by: "ada" },
    { ...said, type: "model_status", model_id: MODEL_ID, name: "churn-rf", version: 4, previous: "deploying", status: "failed", by: null, why: "out of memory" },
  ];
  const { root } = shown({ history });
  const rows = [...root.querySelectorAll("[data-testid=mlops-model-history] li span")].map((one) => one.textContent);
  expect(rows).toEqual(["failed · out of memory", "lost the alias <b> · by ada", "got the alias <b> · by ada", "registered"]);
});

test("versions of the name are listed, the newest first", () => {
  const { asked, find, text } = shown({ models: [FORMER, aModel()] });
  expect(text("model-versions")).toMatch(/^v4registered · champion · .*v3registered · accuracy 0.9312/);
  find("model-versions").querySelectorAll("button")[1]?.click();
  expect(asked).toEqual([["open", "m-3"]]);
});

test("what is not known is a dash, and an hour nobody counted a gap", () => {
  const nothing = aMonitoring({ total: 0, requests: 0, errors: 0, rate: null, p50: null, p95: null, hours: [] });
  expect(volume(nothing).replaceAll("\u202f", " ")).toBe("0 predictions · —/min · p50 — · p95 — · errors —");
  expect(hoursOf(aMonitoring(), NOW, 3).map((one) => one.predictions)).toEqual([null, 1000, 204]);
});

test("lines to paste hold any name and value", () => {
  const row = { "it's": 'a "b"', n: null, yes: true };
  expect(curl("http://x/predict", row)).toContain(`-d '{"row":{"it'\\''s":"a \\"b\\"","n":null,"yes":true}}'`);
  expect(python({ name: 'a"b', version: 3 }, row)).toContain('mlops.model("a\\"b@3").predict([{"it\'s": "a \\"b\\"", "n": None, "yes": True}])');
  expect(valueOf({ name: "x", kind: "number", dtype: "", missing: true }, "abc")).toBe("abc");
});

test("hostile names are text", () => {
  const name = '<img src=x onerror="alert(1)">';
  const models = [aModel({ name, aliases: [name], estimator: name, parameters: { [name]: name }, signature: { inputs: [{ name, kind: "text", dtype: name, missing: true }] } })];
  const { root, text } = shown({ models, endpoint: anEndpoint({ name, error: name }), monitoring: aMonitoring({ drift: { [name]: { psi: 1, ks: 1, level: name, rows: 1 } } }) });
  expect(root.querySelector("img")).toBeNull();
  expect(text("model-name")).toBe(`${name} v4`);
});
