import { describe, expect, test, vi } from "vitest";
import { type Job, STAGES, type SystemMetrics, type Use } from "../../src/protocol";
import { aCandidate, aJob, JOB_ID, metricPoints, points, progressed, stagesAt } from "../builders";
import type { Link } from "../../src/state/connection";
import { LIVE, Shown } from "./page";

describe("each state has its word", () => {
  test.each<[string, Partial<Job>, string]>([
    ["queued behind others", { status: "queued", ahead: 2 }, "Queued, 2 ahead"],
    ["first in the queue", { status: "queued", ahead: 0 }, "Queued, next"],
    ["starting", { status: "starting" }, "Starting"],
    ["running", {}, "Running"],
    ["running without a sign of life", { unresponsive: true }, "Running, unresponsive"],
    ["stopping without a sign of life", { status: "stopping", unresponsive: true }, "Stopping, unresponsive"],
    ["stopping", { status: "stopping" }, "Stopping"],
    ["of a record that cannot be read", { unreadable: true }, "Unreadable record"],
    ["paused", { status: "paused" }, "Paused"],
    ["completed", { status: "completed" }, "Finished"],
    ["failed", { status: "failed" }, "Failed"],
    ["lost", { status: "lost" }, "Lost"],
    // Nobody here knows who is looking: a colleague's page must not say "you".
    ["cancelled by its owner", { status: "cancelled", stopped_by: "ada", submitted_by: "ada", start_time: "2026-11-21T14:02:00Z" }, "Cancelled by ada at 58 %"],
    ["cancelled by somebody", { status: "cancelled", stopped_by: "bob", submitted_by: "ada" }, "Cancelled by bob"],
  ])("%s", (_name, job, word) => {
    expect(new Shown(job).text("state")).toBe(word);
  });

  test("a job that starts at once is not shown as queued", () => {
    const shown = new Shown(null).happen({ kind: "tick", at: -59_500 });
    shown.happen({ kind: "record", at: -59_400, job: aJob({ status: "queued", ahead: 0 }) });
    expect(shown.text("state")).toBe("Starting");
  });

  test("a record that cannot be read says so, and nothing can be asked of its job", () => {
    const shown = new Shown({ unreadable: true, error: "The record of this job cannot be read." });
    expect(shown.text("sentence")).toBe("The record of this job cannot be read.");
    expect(["stop", "pause", "rerun"].map((id) => shown.text(id))).toEqual([null, null, null]);
  });

  test("nothing is known but the id", () => {
    const shown = new Shown(null);
    expect([shown.text("state"), shown.text("id"), shown.text("sentence")]).toEqual([
      "Job",
      "j-7f3a",
      "Asking the server for its record.",
    ]);
    shown.happen({ kind: "stranger", at: 0, source: "kernel" });
    expect(shown.text("sentence")).toBe("No record of this job here.");
  });
});

describe("alerts", () => {
  const EVIDENCE = { step: 12, value: "nan", value_before: 0.31, metric: null };
  const NAN = { rule: "not_finite", metric: "train_loss", message: "train_loss is NaN at epoch 12.", time: "2026-11-21T14:02:01Z", evidence: EVIDENCE };
  const PLATEAU = { rule: "plateau", metric: "val_r2", message: "val_r2 is no better than at epoch 3.", time: "2026-11-21T14:05:00Z", evidence: {} };

  test("are named by the newest, each with its sentence, its evidence and a way to mute it", () => {
    const shown = new Shown({ alerts: [NAN, PLATEAU] });
    popover(shown.find("alerts-list"));
    expect(shown.text("alerts")).toBe("Plateau +1");
    expect(shown.find("alerts").getAttribute("aria-label")).toBe(`Plateau +1, 2 alerts: ${PLATEAU.message} ${NAN.message}`);
    shown.click("alerts");
    expect(shown.find("alerts-list").textContent).toBe(
      `Plateau: ${PLATEAU.message}MuteNot finite: ${NAN.message}step12valuenanvalue before0.3100metric—Mute`,
    );
    shown.click("mute-not_finite");
    expect(shown.actions).toEqual([{ do: "mute", rule: "not_finite" }]);
  });

  test("that are muted are not shown, nor is anything of a record that knows none", () => {
    expect(new Shown({ alerts: [NAN], muted_rules: ["not_finite"] }).text("alerts")).toBeNull();
    const old: Partial<Job> = { alerts: undefined as unknown as Job["alerts"] };
    expect(new Shown(old).text("alerts")).toBeNull();
  });

  test("cannot be muted where nobody could pass it on", () => {
    const shown = new Shown({ alerts: [NAN] }, "saved");
    popover(shown.find("alerts-list"));
    shown.click("alerts");
    expect(shown.root.querySelector("[data-testid=mlops-mute-not_finite]")).toBeNull();
  });

  test("are spoken when they come, and when the job has ended still on its card", () => {
    const shown = new Shown({});
    shown.happen({ kind: "record", at: 20_000, job: aJob({ alerts: [NAN] }) });
    expect(shown.find("status").textContent).toBe(`digits-mlp: ${NAN.message}`);
    shown.happen({ kind: "record", at: 40_000, job: aJob({ status: "completed", alerts: [NAN] }) });
    expect(shown.text("alerts")).toBe("Not finite");
  });
});

describe("stages", () => {
  test("are a list of eight with one current step, each with its state in words", () => {
    const shown = new Shown({ stages: stagesAt(4, { done: 23, total: 40 }), elapsed_time: 6.8 });
    const items = [...shown.find("stages").querySelectorAll("li")];
    expect(items.map((item) => [item.getAttribute("aria-current"), item.title])).toEqual([
      [null, "Data validation, done, 0.5\u202fs"],
      [null, "Data preprocessing, done, 0.5\u202fs"],
      [null, "Feature engineering, done, 0.5\u202fs"],
      [null, "Model selection, done, 0.5\u202fs"],
      ["step", "Training model, running, 4.8\u202fs"],
      [null, "Model validation, not started"],
      [null, "Performance evaluation, not started"],
      [null, "Finalizing model, not started"],
    ]);
  });

  test("a skipped stage says why", () => {
    const stages = stagesAt(4).map((stage) =>
      stage.name === "Model selection" ? { ...stage, state: "skipped" as const, elapsed: null, skipped_reason: "one candidate" } : stage,
    );
    expect(new Shown({ stages }).find("stages").children[3]?.getAttribute("title")).toBe(
      "Model selection, skipped, one candidate",
    );
  });
});

describe("progress", () => {
  test("says how far, which stage and how long", () => {
    const bar = new Shown({}).find("progress");
    expect([bar.getAttribute("aria-valuenow"), bar.getAttribute("aria-valuetext")]).toEqual([
      "58",
      "58 percent, stage 5 of 8 Train, about 0:04 left",
    ]);
  });

  test("has no number while the length is unknown", () => {
    const shown = new Shown({ stages: stagesAt(4), estimated_remaining: null, estimated_total_time: null });
    expect([shown.find("progress").getAttribute("aria-valuenow"), shown.text("percent"), shown.text("left")]).toEqual([
      null,
      null,
      "left …",
    ]);
  });

  test("never falls", () => {
    const shown = new Shown({ progress: 58 });
    const seen = [70, 10, 65, 80].map((progress, i) => {
      shown.happen({ kind: "events", at: i, events: [progressed(i + 1, { progress })] });
      return shown.find("progress").getAttribute("aria-valuenow");
    });
    expect(seen).toEqual(["70", "70", "70", "80"]);
  });
});

describe("numbers", () => {
  test("say what the job takes while it runs", () => {
    const use = { id: JOB_ID, cpu_percent: 398, memory: 420 * 2 ** 20, peak: 2 ** 30, processes: 5 };
    const sample = (jobs: Use[]) => ({ kind: "latest", at: 0, events: [{ type: "system_metrics", jobs } as unknown as SystemMetrics] }) as const;
    const shown = new Shown({}).happen(sample([use]));
    expect(["memory", "peak", "cpu"].map((one) => shown.text(one))).toEqual(["memory 420 MiB", "peak 1.0 GiB", "CPU 398 %"]);
    // A sample of the machine in which it is not, and one of something else.
    shown.happen({ kind: "latest", at: 0, events: [] });
    expect(shown.text("cpu")).toBe("CPU 398 %");
    shown.happen(sample([{ ...use, id: "j-other" }]));
    expect(shown.text("memory")).toBeNull();
    shown.happen(sample([{ ...use, cpu_percent: null, memory: null, peak: null }]));
    expect(["memory", "peak", "cpu"].map((one) => shown.text(one))).toEqual(["memory —", "peak —", "CPU —"]);
    shown.happen({ kind: "record", at: 0, job: aJob({ status: "completed" }) });
    expect(shown.text("memory")).toBeNull();
  });

  test("of a running job", () => {
    const shown = new Shown({ best: { name: "val_acc", value: 0.972, step: 22 } });
    expect(["percent", "unit", "elapsed", "left", "best"].map((name) => shown.text(name))).toEqual([
      "58 %",
      "epoch 23/40",
      "elapsed 0:06",
      "left ~0:04",
      "best val_acc 0.9720 @ 22",
    ]);
  });

  test("of a finished job: the score, how far to trust it, and the model", () => {
    const shown = new Shown({
      status: "completed",
      elapsed_time: 10.4,
      model_id: "m-7f3a2b4c5d6e",
      metrics: { test_accuracy: 0.974, cv_mean: 0.971, cv_std: 0.012, baseline: 0.44 },
    });
    expect(["final", "cv", "baseline", "model", "aside"].map((name) => shown.text(name))).toEqual([
      "test accuracy 0.9740",
      "cv 0.9710 ± 0.0120",
      "baseline 0.4400",
      "model m-7f3a",
      "in 10.4 s",
    ]);
  });

  test("hide what has to wrap, and show it when there is room again", () => {
    const watched: ResizeObserverCallback[] = [];
    vi.stubGlobal(
      "ResizeObserver",
      class {
        constructor(call: ResizeObserverCallback) {
          watched.push(call);
        }
        observe(): void {}
        disconnect(): void {}
      },
    );
    try {
      const shown = new Shown({ progress: 58, elapsed_time: 6.8 });
      const [number] = shown.find("numbers").children;
      const wraps = vi.spyOn(number as HTMLElement, "offsetTop", "get").mockReturnValue(20);
      const resized = () => watched.forEach((call) => call([], {} as ResizeObserver));
      resized();
      expect(shown.text("percent")).toBeNull();
      wraps.mockReturnValue(0);
      resized();
      expect(shown.text("percent")).toBe("58 %");
    } finally {
      vi.unstubAllGlobals();
    }
  });

  test("that were not measured are a dash", () => {
    expect(new Shown({ status: "completed", metrics: {} }).text("final")).toBe("test accuracy —");
  });

  test("a model that could not be kept says why", () => {
    const shown = new Shown({ status: "completed", model_missing_reason: "It holds a lambda." });
    expect([shown.text("model"), shown.text("sentence")]).toEqual(["model not saved", "Model not saved. It holds a lambda."]);
  });

  test("old ones say how old they are", () => {
    const shown = new Shown({}).happen({ kind: "tick", at: 11_000 });
    expect(shown.text("aside")).toBe("last update 11 s ago");
  });
});

describe("the connection", () => {
  test("reads as shape, word and round trip", () => {
    const shown = new Shown({});
    expect([shown.text("connection"), shown.find("connection").dataset["condition"]]).toEqual(["Live · 38 ms", "live"]);
  });

  test("being restored: the data stay, the next try is counted down, and there is a button", () => {
    const link = { phase: "waiting", transport: null, attempt: 3, retryAt: 4_000, downSince: -5_000, heardAt: -11_000 } as const;
    const shown = new Shown({}, "server", link);
    expect(["connection", "percent", "last-update", "goes-on", "retry"].map((name) => shown.text(name))).toEqual([
      "Reconnecting… try 3, next in 4 s",
      "58 %",
      "last update 11 s ago",
      "Training goes on in the server.",
      "Retry now",
    ]);
    shown.click("retry");
    expect([shown.actions, shown.find("progress").className]).toEqual([[{ do: "reconnect" }], "progress cut"]);
  });

  test("being restored, nothing is promised of a job that is suspended", () => {
    const shown = new Shown({ status: "paused" }, "server", { phase: "waiting", transport: null, downSince: -5_000 });
    expect([shown.text("connection"), shown.text("goes-on")]).toEqual(["Reconnecting… try 1", null]);
  });

  test.each<[string, Partial<Job>, Partial<Link>, string, string]>([
    ["suspended", { status: "paused" }, {}, "state", "Paused"],
    ["cut off", {}, { phase: "waiting", transport: null, downSince: 100 }, "connection", "Reconnecting… try 1"],
  ])("a job that is %s in its first moment says so", (_name, job, link, place, said) => {
    const shown = new Shown({ elapsed_time: 0.1 }).happen(
      { kind: "record", at: 100, job: aJob({ start_time: null, elapsed_time: 0.3, ...job }) },
      { kind: "link", at: 200, link: { ...LIVE, heardAt: 200, ...link } },
      { kind: "tick", at: 2_500 },
    );
    expect(shown.text(place)).toBe(said);
  });

  test("gone for long: what was known last, and a command", () => {
    const shown = new Shown({}, "server", { phase: "waiting", transport: null, attempt: 7, downSince: -60_000 });
    expect(["state", "connection", "retry", "sentence"].map((name) => shown.text(name))).toEqual([
      "Last known state",
      "Server not reachable",
      "Try again",
      'The job may still be running. When the server is back: %mlops status or mlops.get("j-7f3a")',
    ]);
  });

  test("a job can be stopped all the same: the server may only have trouble with its disk", () => {
    const shown = new Shown({}, "server", { phase: "waiting", transport: null, attempt: 2, downSince: -5_000 });
    shown.click("stop");
    expect(shown.actions).toEqual([{ do: "stop" }]);
  });

  test("signed out is said, and nothing is promised", () => {
    const shown = new Shown({}, "server", { phase: "forbidden" });
    expect([shown.text("connection"), shown.text("sentence"), shown.text("stop")]).toEqual([
      "Signed out",
      "You are signed out of this server: the job may still be running. Reload the page to sign in.",
      null,
    ]);
  });

  test("a saved output says of when it is, and never that something is wrong", () => {
    const shown = new Shown({}, "saved", { phase: "waiting", downSince: -60_000 });
    expect(["state", "connection", "stop", "retry"].map((name) => shown.text(name))).toEqual([
      "Last known state",
      null,
      null,
      null,
    ]);
  });
});

describe("a job that waits", () => {
  test("says what for, and its priority where it has one", () => {
    const shown = new Shown({ status: "queued", ahead: 1, waiting_for: "memory", priority: 5 });
    expect([shown.text("sentence"), shown.text("priority")]).toEqual([
      "Waiting for memory: starts by itself when enough is free.",
      "priority 5",
    ]);
    expect(new Shown({ status: "queued", ahead: 1 }).text("sentence")).toBe("Starts by itself when a place is free.");
  });
});

describe("run again", () => {
  test.each<[Job["status"], string | null]>([
    ["failed", "Retry"],
    ["lost", "Retry"],
    ["cancelled", "Run again"],
    ["completed", null],
    ["running", null],
  ])("%s: %s", (status, label) => {
    const shown = new Shown({ status });
    expect(shown.text("rerun")).toBe(label);
    if (label) shown.click("rerun");
    expect(shown.actions).toEqual(label ? [{ do: "rerun" }] : []);
  });

  test("needs the server", () => {
    expect(new Shown({ status: "failed" }, "saved").text("rerun")).toBe(null);
  });

  test("an attempt says its number and what was changed", () => {
    const changes = [{ name: "max_depth", before: null, after: 5 }];
    const shown = new Shown({ status: "completed", attempt: 2, rerun_of: "j-aaaabbbbcccc", changes });
    shown.click("show-details");
    expect([shown.text("attempt"), shown.text("changed")]).toEqual(["attempt 2", "max_depth 5"]);
    expect(shown.text("details")).toContain("attempt2, after j-aaaa");
    expect(shown.text("details")).toContain("changedmax_depth — → 5");
  });
});

describe("pause", () => {
  test("of a running job is one button, and resuming a paused one the same", () => {
    const shown = new Shown({});
    expect(shown.text("pause")).toBe("Pause");
    shown.click("pause");
    shown.happen({ kind: "record", at: 1_000, job: aJob({ status: "paused", paused_by: "ada" }) });
    expect([shown.text("state"), shown.text("pause"), shown.text("stop")]).toEqual(["Paused", "Resume", "Stop"]);
    shown.click("pause");
    expect(shown.actions).toEqual([{ do: "pause" }, { do: "resume" }]);
  });

  test("is offered for no job that cannot be paused", () => {
    const offered = (["queued", "starting", "stopping", "completed"] as const).map((status) => new Shown({ status }).text("pause"));
    expect(offered).toEqual([null, null, null, null]);
  });

  test("lets no time pass, and no news are no staleness", () => {
    const shown = new Shown({ status: "paused", elapsed_time: 6, stages: stagesAt(4) });
    shown.happen({ kind: "tick", at: 3_600_000 });
    expect([shown.text("elapsed"), shown.text("aside"), shown.find("progress").classList.contains("moving")]).toEqual([
      "elapsed 0:06",
      null,
      false,
    ]);
  });

  test("is said to those who do not see it", () => {
    const shown = new Shown({});
    shown.happen({ kind: "record", at: 20_000, job: aJob({ status: "paused" }) });
    expect(shown.text("status")).toBe("digits-mlp: Paused");
  });
});

describe("stop", () => {
  test("asks nothing in the first ten seconds", () => {
    const shown = new Shown({ elapsed_time: 9 });
    shown.click("stop");
    expect(shown.actions).toEqual([{ do: "stop" }]);
  });

  test("takes two steps later", () => {
    const shown = new Shown({ elapsed_time: 11 });
    shown.click("stop");
    expect([shown.text("stop"), shown.actions]).toEqual(["Stop at 58 %?", []]);
    shown.click("stop");
    expect([shown.text("stop"), shown.actions]).toEqual(["Stop", [{ do: "stop" }]]);
  });

  test("forgets a first step after a while", () => {
    vi.useFakeTimers();
    const shown = new Shown({ elapsed_time: 11 });
    shown.click("stop");
    vi.advanceTimersByTime(5_000);
    expect(shown.text("stop")).toBe("Stop");
    vi.useRealTimers();
  });

  test("forgets a first step when the button loses the focus", () => {
    const shown = new Shown({ elapsed_time: 11 });
    shown.click("stop");
    shown.find("stop").dispatchEvent(new FocusEvent("blur"));
    expect([shown.text("stop"), shown.actions]).toEqual(["Stop", []]);
  });

  test("is not offered for jobs that are over or on their way there", () => {
    const offered = (["stopping", "completed", "failed"] as const).map((status) => new Shown({ status }).text("stop"));
    expect(offered).toEqual([null, null, null]);
  });
});

describe("a failure", () => {
  const KILLED: Partial<Job> = {
    status: "failed",
    reason: "signal",
    signal: 9,
    error: "The worker was killed by signal 9 (SIGKILL) in stage Training model.",
    log_tail: ["epoch 21", "epoch 22", "epoch 23", ""],
    elapsed_time: 4.8,
  };

  test("says why, where and its last words without a click, as an alert", () => {
    const shown = new Shown(KILLED);
    expect(["cause", "last-lines", "aside"].map((name) => shown.text(name))).toEqual([
      "The worker was killed by signal 9 (SIGKILL) in stage Training model.",
      "epoch 22\nepoch 23",
      "after 4.8 s · Training model",
    ]);
    expect(shown.find("failure").getAttribute("role")).toBe("alert");
  });

  test("gives the fix as code", () => {
    const shown = new Shown({ ...KILLED, hint: 'Drop them first:\nmlops.train(df, target_na="drop")' });
    expect([shown.text("fix"), shown.find("fix").querySelector("code")?.textContent]).toEqual([
      'Drop them first: mlops.train(df, target_na="drop")',
      'mlops.train(df, target_na="drop")',
    ]);
  });

  test("has words of its own where the record has none", () => {
    const shown = new Shown({ status: "failed", reason: "oom_killed" });
    expect([shown.text("cause"), shown.find("fix").querySelector("code")?.textContent]).toEqual([
      "Out of memory: the kernel killed the worker.",
      "n_jobs=1",
    ]);
  });

  test("shows the traceback on request", () => {
    const shown = new Shown({ ...KILLED, traceback: "Traceback …" });
    expect(shown.text("traceback")).toBeNull();
    shown.click("show-traceback");
    expect([shown.text("traceback"), shown.text("show-traceback")]).toEqual(["Traceback …", "Hide traceback"]);
  });
});

describe("pictures", () => {
  test("scores of candidates are shown as they arrive", () => {
    const candidates = [
      aCandidate({ label: "logistic", scores: [0.9, 0.92, null], mean: 0.91, spread: 0.014 }),
      aCandidate({ index: 1, label: "rf", scores: [0.95, null, null], mean: 0.95 }),
    ];
    const shown = new Shown({ current_stage: "Model selection", stages: stagesAt(3), candidates });
    const rows = [...shown.root.querySelectorAll('[data-testid="mlops-candidate"]')].map((row) => row.textContent);
    expect(rows).toEqual(["rf0.95001/3", "logistic0.9100 ± 0.01402/3"]);
  });

  test.each([
    { status: "cancelled" as const },
    { status: "completed" as const, model_missing_reason: "It holds a lambda." },
  ])("are folded away in jobs that gave no model, until somebody asks: $status", (job) => {
    const shown = new Shown(job);
    shown.happen({ kind: "events", at: 1, events: [metricPoints(1, ...points("loss", [2, 1]))] });
    const before = shown.text("body");
    shown.click("show-charts");
    expect([before, shown.find("show-charts").getAttribute("aria-pressed")]).toEqual([null, "true"]);
  });

  test("a fit that tells no values says so", () => {
    expect(new Shown({}).text("empty")).toBe("This estimator tells no values while it fits.");
  });
});

describe("what is heard", () => {
  test("is the state and its stage, at most one sentence in twelve seconds", () => {
    const shown = new Shown({ progress: 20, current_stage: "Model selection" });
    const heard = new Set<string | null>();
    for (let second = 1; second <= 30; second++) {
      const stage = second < 5 ? "Model selection" : "Training model";
      shown.happen({
        kind: "events",
        at: second * 1000,
        events: [progressed(second, { progress: 20 + second * 2, current_stage: stage })],
      });
      heard.add(shown.text("status"));
    }
    expect([...heard]).toEqual([
      "",
      "digits-mlp: 25 percent",
      // The newest of what happened meanwhile.
      "digits-mlp: 50 percent",
      "digits-mlp: 75 percent",
    ]);
  });

  test("is the end, too, of a job that ended soon after another sentence and does nothing more", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const shown = new Shown({ progress: 20 });
    shown.happen({ kind: "events", at: 1_000, events: [progressed(1, { progress: 26 })] });
    shown.happen({ kind: "record", at: 4_000, job: aJob({ status: "completed", final_score: 0.98 }) });
    const heard = [8_999, 2].map((ms) => {
      vi.advanceTimersByTime(ms);
      return shown.text("status");
    });
    vi.useRealTimers();
    expect(heard).toEqual(["digits-mlp: 25 percent", "digits-mlp: Finished, accuracy 0.9800"]);
  });
});

describe("the card as a place", () => {
  const HOSTILE = '<img src=x onerror="globalThis.hacked = true">';

  test("names are shown as they are, whatever they look like", () => {
    const shown = new Shown({
      name: HOSTILE,
      status: "failed",
      error: HOSTILE,
      hint: HOSTILE,
      log_tail: [HOSTILE],
      traceback: HOSTILE,
      findings: [{ code: "x", severity: "warning", message: HOSTILE, column: HOSTILE }],
      candidates: [aCandidate({ label: HOSTILE, scores: [1], mean: 1 })],
    });
    expect([shown.text("name"), shown.text("cause"), shown.text("fix"), shown.text("last-lines")]).toEqual(Array(4).fill(HOSTILE));
    expect(shown.root.querySelector("img")).toBeNull();
  });

  test("keeps the notebook from taking its keys, and gives them back on Escape", () => {
    const notebook = document.createElement("div");
    notebook.className = "jp-Notebook";
    notebook.tabIndex = -1;
    const shown = new Shown({});
    notebook.append(shown.el);
    document.body.append(notebook);
    shown.find("stop").focus();
    shown.find("stop").dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true, composed: true }));
    expect([shown.el.hasAttribute("data-lm-suppress-shortcuts"), document.activeElement]).toEqual([true, notebook]);
  });

  test("closes what was opened on Escape before it gives the keys back", () => {
    const shown = new Shown({ findings: [{ code: "x", severity: "info", message: "8 columns have missing values.", column: null }] });
    const isOpen = popover(shown.find("findings-list"));
    const button = shown.find("findings");
    button.focus();
    button.click();
    expect(isOpen()).toBe(true);
    const escape = { key: "Escape", bubbles: true, composed: true };
    button.dispatchEvent(new KeyboardEvent("keydown", escape));
    expect([isOpen(), shown.root.activeElement]).toEqual([false, button]);
    button.dispatchEvent(new KeyboardEvent("keydown", escape));
    expect(shown.root.activeElement).toBeNull();
  });

  test.each([
    ["running", "Nothing was written so far."],
    ["completed", "Nothing was written."],
  ] as const)("says of a %s job without output: %s", (status, said) => {
    const shown = new Shown({ status });
    popover(shown.find("menu"));
    shown.click("more");
    shown.click("menu-log");
    expect(shown.find("log").querySelector("pre")?.textContent).toBe(said);
  });

  test("keeps what a finished job was asked for under a name, and leaves it by Escape", () => {
    const shown = new Shown({ status: "completed", name: "<b>digits</b>" });
    popover(shown.find("menu"));
    shown.click("more");
    shown.click("menu-keep");
    const box = () => shown.root.querySelector<HTMLInputElement>("[data-testid=mlops-naming]");
    expect([box()?.value, shown.root.activeElement === box()]).toEqual(["<b>digits</b>", true]);
    box()?.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    expect(box()).toBeNull();
    shown.click("more");
    shown.click("menu-keep");
    Object.assign(box() as HTMLInputElement, { value: " weekly " });
    shown.click("named");
    expect([shown.actions.at(-1), box()]).toEqual([{ do: "keep", name: "weekly" }, null]);
    const running = new Shown({ status: "running" });
    popover(running.find("menu"));
    running.click("more");
    expect(running.root.querySelector("[data-testid=mlops-menu-keep]")).toBeNull();
  });

  test("leaves nothing behind", () => {
    const shown = new Shown({});
    shown.leaving.abort();
    expect(shown.root.childNodes).toHaveLength(0);
  });
});

describe("a card by keyboard", () => {
  const press = (on: Element | null, key: string) => {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, composed: true });
    on?.dispatchEvent(event);
    return event.defaultPrevented;
  };
  const stops = (shown: Shown) =>
    [...shown.root.querySelectorAll<HTMLElement>("button, [tabindex]")].filter((one) => !one.closest("[hidden], [popover]"));

  test("is one stop of the Tab key while the focus is in it, and any can be the first from outside", () => {
    const shown = new Shown({});
    expect(stops(shown).length).toBeGreaterThan(3);
    shown.find("pause").focus();
    expect(stops(shown).filter((one) => one.tabIndex === 0)).toEqual([shown.find("pause")]);
    shown.find("pause").blur();
    expect(stops(shown).every((one) => one.tabIndex === 0)).toBe(true);
  });

  test("is walked by arrows, round and round", () => {
    const shown = new Shown({});
    const all = stops(shown);
    all[0]?.focus();
    const walked = all.map(() => {
      press(shown.root.activeElement, "ArrowRight");
      return shown.root.activeElement;
    });
    expect(walked).toEqual([...all.slice(1), all[0]]);
    press(shown.root.activeElement, "ArrowUp");
    expect(shown.root.activeElement).toBe(all.at(-1));
  });

  test("leaves the arrows to charts and texts that use them", () => {
    const shown = new Shown({ status: "failed", reason: "error", traceback: "line" });
    shown.click("show-traceback");
    const text = shown.find("traceback");
    text.focus();
    expect(press(text, "ArrowDown")).toBe(false);
    expect(shown.root.activeElement).toBe(text);
    expect(press(text, "ArrowRight")).toBe(true);
    expect(shown.root.activeElement).not.toBe(text);
  });
});

test("a screen reader hears at most six sentences of a job of a minute", () => {
  const shown = new Shown({ status: "starting", progress: 0, current_stage: "Data validation", stages: stagesAt(0), elapsed_time: 0 });
  const heard = new Set<string>();
  for (let second = 1; second <= 62; second++) {
    const stage = Math.min(Math.floor(second / 8), 7);
    const over = second >= 60;
    const job = aJob({
      ...{ status: over ? "completed" : "running", progress: over ? 100 : second * 1.6, current_stage: STAGES[stage] ?? null },
      ...{ stages: stagesAt(stage), elapsed_time: Math.min(second, 60), final_score: over ? 0.97 : null, start_time: null },
    });
    shown.happen({ kind: "record", at: second * 1000, job, head: second }, { kind: "tick", at: second * 1000 });
    heard.add(shown.find("status").textContent ?? "");
  }
  shown.happen({ kind: "tick", at: 75_000 });
  heard.add(shown.find("status").textContent ?? "");
  heard.delete("");
  expect(heard.size).toBeGreaterThan(2);
  expect(heard.size).toBeLessThanOrEqual(6);
  expect([...heard].at(-1)).toContain("Finished");
});

/** happy-dom has no popovers; returns whether this one is open. */
function popover(panel: HTMLElement): () => boolean {
  let open = false;
  Object.assign(panel, {
    showPopover: () => (open = true),
    hidePopover: () => (open = false),
    matches: () => open,
  });
  return () => open;
}
