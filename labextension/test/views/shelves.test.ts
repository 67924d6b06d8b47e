import { describe, expect, test } from "vitest";
import type { Event } from "../../src/protocol";
import { NO_ASSETS, outdated } from "../../src/state/assets";
import { type BoardHappening, freshBoard, reduceBoard } from "../../src/state/board";
import { fresh, type Upload } from "../../src/state/uploads";
import { mount, type PanelActs } from "../../src/views/panel";
import { aDataset, aModel, anEndpoint, aVersion, DATASET_ID, MODEL_ID, NOW } from "../assets";
import { TIME } from "../builders";
import { LIVE } from "./page";

function panel(...happenings: BoardHappening[]) {
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  const asked: unknown[] = [];
  const upload = { send: (files: readonly File[]) => asked.push(files.map((one) => one.name)), drop: (key: string) => asked.push(`drop ${key}`) };
  const acts: PanelActs = { act: () => {}, order: () => {}, open: (id) => asked.push(id), menu: (...clicked) => asked.push(clicked), folded: () => [], fold: () => {}, upload };
  const update = mount(el, freshBoard(NOW), new AbortController().signal, acts);
  let board = freshBoard(NOW);
  const root = el.shadowRoot as ShadowRoot;
  const happen = (...all: BoardHappening[]) => {
    board = all.reduce(reduceBoard, board);
    update(board);
  };
  happen({ at: NOW, kind: "link", link: LIVE }, ...happenings);
  const find = (testid: string) => root.querySelector<HTMLElement>(`[data-testid="mlops-${testid}"]`) as HTMLElement;
  const text = (testid: string) => (find(testid)?.textContent ?? "").replaceAll("\u202f", " ");
  return { asked, find, happen, root, text };
}

const listed = { at: NOW, kind: "listed", lists: { datasets: [aDataset()], models: [aModel()], endpoints: [] } } as const;
const sending = (change: Partial<Upload>, at = NOW): BoardHappening => ({ at, kind: "upload", key: "k", change });
const begun = sending(fresh("k", "customers.csv", 1000));

describe("the sections of datasets and models", () => {
  test("have a row for each, which opens it", () => {
    const { asked, find, root, text } = panel(listed);
    expect(text("datasets")).toContain("dataset customersv17 043 rows × 21 columns · 0.9 MB · sha 9c1… · 2 min ago");
    expect(text("models")).toContain("registered churn-rfv4 registeredchampion · accuracy 0.9312 · 2 min ago");
    expect([...root.querySelectorAll("summary")].map((one) => one.textContent)).toContain("Models (1)");
    for (const section of ["datasets", "models"]) find(section).querySelector<HTMLElement>("[data-testid=mlops-entry]")?.click();
    expect(asked).toEqual([DATASET_ID, MODEL_ID]);
  });

  test("show of each name the version that answers, and how much it has predicted", () => {
    const models = [aModel({ model_id: "m-2", version: 5, aliases: [] }), aModel({ status: "deployed" })];
    const endpoints = [anEndpoint({ total_predictions: 1204 })];
    expect(panel({ at: NOW, kind: "listed", lists: { models, endpoints } }).text("models")).toBe(
      "deployed churn-rfv4 deployedchampion · accuracy 0.9312 · 1 204 predictions · 2 versions · 2 min ago",
    );
  });

  test("have a menu by the right button", () => {
    const { asked, find } = panel(listed);
    const clicked = new MouseEvent("contextmenu", { bubbles: true, cancelable: true, clientX: 7, clientY: 9 });
    for (const section of ["datasets", "models"]) find(section).querySelector("[data-testid=mlops-entry]")?.dispatchEvent(clicked);
    expect(asked).toEqual([[DATASET_ID, { x: 7, y: 9 }], [MODEL_ID, { x: 7, y: 9 }]]);
    expect(clicked.defaultPrevented).toBe(true);
  });

  test("keep the row, and the focus on it, while its words change", () => {
    const { find, happen, root } = panel(listed);
    const row = find("models").querySelector<HTMLElement>("button");
    row?.focus();
    happen({ at: NOW, kind: "listed", lists: { models: [aModel({ status: "deployed" })] } });
    expect(row?.textContent).toContain("deployed");
    expect(root.activeElement).toBe(row);
  });

  test("say what makes the first one, once the server has said that there is none", () => {
    const { happen, text } = panel();
    expect(text("models")).toContain("Not known");
    happen({ at: NOW, kind: "listed", lists: { datasets: [], models: [], endpoints: [] } });
    expect(text("datasets")).toContain('mlops.datasets.upload("customers.csv")');
    expect(text("models")).toContain("mlops.train(df");
  });

  test("are filtered as the jobs are", () => {
    const { find, text } = panel(listed);
    const filter = find("filter") as HTMLInputElement;
    filter.value = "champ";
    filter.dispatchEvent(new Event("input"));
    expect(text("datasets")).toContain("No dataset like that.");
    expect(text("models")).toContain("churn-rf");
  });
});

describe("an upload", () => {
  test("is offered by a button and by letting files fall", () => {
    const { asked, find } = panel(listed);
    const drop = new Event("drop", { bubbles: true, cancelable: true });
    Object.assign(drop, { dataTransfer: { types: ["Files"], files: [new File(["x"], "a.csv")] } });
    find("datasets").dispatchEvent(drop);
    expect(asked).toEqual([["a.csv"]]);
    expect(drop.defaultPrevented).toBe(true);
  });

  test("tells how far it is and how fast, and can be cancelled", () => {
    const { asked, find, happen, text } = panel(begun);
    expect(text("upload-state")).toBe("waits for the one before");
    happen(sending({ phase: "sending", sent: 0, uploadId: "u-1" }), sending({ sent: 1 }), sending({ sent: 451 }, NOW + 1000));
    expect(text("upload-state")).toBe("45 % · 450 B/s · ~0:01");
    expect(find("uploads").querySelector("[role=progressbar]")?.getAttribute("aria-valuenow")).toBe("45");
    find("upload-drop").click();
    expect(asked).toEqual(["drop k"]);
  });

  test("says what it became: by the server's events", () => {
    const failed = { type: "upload_failed", time: TIME, seq: 1, upload_id: "u-1", filename: "customers.csv", error: "21 fields expected, 22 found", line: 12 };
    const one = panel(begun, sending({ phase: "reading", uploadId: "u-1", sent: 1000 }));
    expect(one.text("upload-state")).toBe("all there; the server reads it");
    expect(one.find("upload-drop").hidden).toBe(true);
    one.happen({ at: NOW, kind: "events", events: [failed as unknown as Event] });
    expect(one.text("upload-state")).toBe("line 12: 21 fields expected, 22 found");
    const done = { ...failed, type: "upload_completed", dataset_id: DATASET_ID, version: 1, rows: 7043, columns: 21 };
    const other = panel(listed, begun, sending({ phase: "reading", uploadId: "u-1" }), { at: NOW, kind: "events", events: [done as unknown as Event] });
    expect(other.text("upload-state")).toBe("7 043 rows × 21 columns · 0.9 MB · sha 9c1…");
    other.find("upload-use").click();
    expect(other.asked).toEqual([DATASET_ID]);
  });

  test("of content that is there already leads to it", () => {
    const versions = [aVersion(), aVersion({ version: 2 })];
    const dataset = { id: DATASET_ID, version: 2 };
    const lists = { datasets: [aDataset({ versions })] };
    const { text } = panel({ at: NOW, kind: "listed", lists }, begun, sending({ phase: "same", dataset }));
    expect([text("upload-state"), text("upload-use")]).toEqual(["already uploaded as customers v2", "Use it"]);
  });

  test("stays what it was found to be when the server tells everybody", () => {
    const told = { type: "upload_completed", time: TIME, seq: 1, upload_id: "u-1", dataset_id: DATASET_ID, version: 1 };
    const same = sending({ phase: "same", uploadId: "u-1", dataset: { id: DATASET_ID, version: 1 } });
    const { text } = panel(listed, begun, same, { at: NOW, kind: "events", events: [told as unknown as Event] });
    expect(text("upload-state")).toBe("already uploaded as customers v1");
  });

  test("of somebody else is seen while it comes, and gone when it is there", () => {
    const progress = { type: "upload_progress", time: TIME, seq: null, upload_id: "u-2", filename: "other.csv", bytes_sent: 50, bytes_total: 100, percent: 50 };
    const { find, happen, text } = panel({ at: NOW, kind: "latest", events: [progress as unknown as Event] });
    expect(text("upload-state")).toBe("50 % · sent by somebody else");
    expect(find("upload-drop").hidden).toBe(true);
    happen({ at: NOW, kind: "events", events: [{ ...progress, type: "upload_completed", dataset_id: "d-2" } as unknown as Event] });
    expect(find("upload")).toBeNull();
  });

  test.each([["before it was chosen again", 0], ["while it was asked for", 1]])("that goes on after a reload is seen once, though it was heard of %s", (_, at) => {
    const progress = { type: "upload_progress", time: TIME, seq: null, upload_id: "u-1", filename: "customers.csv", bytes_sent: 0, bytes_total: 1000, percent: 0 };
    const heard: BoardHappening = { at: NOW, kind: "events", events: [progress as unknown as Event] };
    const { root, text } = panel(...[begun].toSpliced(at, 0, heard), sending({ phase: "sending", uploadId: "u-1", sent: 400 }));
    expect(root.querySelectorAll("[data-testid=mlops-upload]")).toHaveLength(1);
    expect(text("upload-state")).toBe("40 %");
  });

  test("of somebody else is gone when it is cancelled", () => {
    const progress = { type: "upload_progress", time: TIME, seq: null, upload_id: "u-2", filename: "other.csv", bytes_sent: 50, bytes_total: 100, percent: 50 };
    const { find, happen } = panel({ at: NOW, kind: "latest", events: [progress as unknown as Event] });
    expect(find("upload")).not.toBeNull();
    happen({ at: NOW, kind: "events", events: [{ ...progress, type: "upload_cancelled", seq: 1, by: "ada" } as unknown as Event] });
    expect(find("upload")).toBeNull();
  });
});

test("how large a file may be is what the server said last", () => {
  const board = [5, 7].reduce((before, upload_bytes) => reduceBoard(before, { at: 0, kind: "listed", lists: { datasets: [], upload_bytes } }), freshBoard(0));
  expect([board.assets.upload_bytes, reduceBoard(board, { at: 0, kind: "listed", lists: { models: [] } }).assets.upload_bytes]).toEqual([7, 7]);
});

test("lists are asked for again after what changes them", () => {
  const of = (...types: string[]) => [...outdated(types.map((type) => ({ type }) as Event))];
  expect(of("dataset_updated", "upload_completed")).toEqual(["datasets"]);
  expect(of("model_status", "model_aliased")).toEqual(["models", "endpoints"]);
  expect(of("pipeline_created", "pipeline_deleted")).toEqual(["pipelines"]);
  expect(of("training_progress", "upload_progress", "prediction_volume")).toEqual([]);
  expect(reduceBoard(freshBoard(0), { at: 0, kind: "reset" }).assets).toEqual(NO_ASSETS);
});
