/** A dataset in a tab: what is wrong with it first, what to learn from it, its first rows, versions and what came of it. */

import type { Dataset } from "../state/assets";
import { trainingLine } from "../state/datasets";
import { ago, count } from "../state/figures";
import { shortId } from "../state/job";
import { balance, type DatasetSight, type Preview, problem, shownVersion } from "../state/preview";
import { result } from "../state/uploads";
import { trans } from "../words";
import assetCss from "./asset.css";
import css from "./card.css";
import { copy } from "./clipboard";
import { attribute, element, fill, say, show } from "./element";
import { mark } from "./marks";
import { histogram, table } from "./preview";
import { dress, watchTheme } from "./theme";

export interface DatasetActs {
  /** Shows a job or a model. */
  open(id: string): void;
  /** Shows another version. */
  version(version: number): void;
  /** Puts the lines where they can be run; false where there is no such place. */
  insert?(lines: string): Promise<boolean>;
}

const SAID_MS = 2_000;

export function mount(el: HTMLElement, sight: DatasetSight, signal: AbortSignal, acts: DatasetActs): (next: DatasetSight) => void {
  const root = el.shadowRoot ?? el.attachShadow({ mode: "open" });
  const box = element("section", { class: "card asset", role: "group", "data-testid": "mlops-dataset" });
  root.replaceChildren(element("style", {}, css), element("style", {}, assetCss), box);
  signal.addEventListener("abort", () => root.replaceChildren());
  watchTheme(() => {
    dress(box);
  }, signal);
  let shown = sight;
  let target: string | null = null;

  const name = element("h2", { class: "name" });
  const id = element("code", { class: "id" });
  const train = element("button", { class: "button", type: "button", "data-testid": "mlops-dataset-train" }, trans.__("Train…"));
  train.title = trans.__("Puts the line that trains into a cell, or on the clipboard");
  train.addEventListener("click", () => void begin());
  const header = element("div", { class: "header" }, element("div", { class: "title" }, mark("table"), name, id), element("div", { class: "right" }, train));
  const line = element("p", { class: "result", "data-testid": "mlops-dataset-result" });
  const trouble = element("p", { class: "failure", role: "alert", "data-testid": "mlops-dataset-trouble" });
  const problems = element("ul", { class: "problems", "data-testid": "mlops-problems" });
  const choose = element("select", { "data-testid": "mlops-target" });
  const reason = element("span", { class: "note" });
  const target_of = element("p", { class: "target" }, element("label", {}, `${trans.__("Target")} `, choose), reason);
  const spread = element("div", { class: "spread", "data-testid": "mlops-balance" });
  const code = element("code", { "data-testid": "mlops-dataset-code" });
  const head = element("div", {});
  const versions = element("ul", { class: "listed", "data-testid": "mlops-versions" });
  const used = element("ul", { class: "listed", "data-testid": "mlops-lineage" });
  const [versionsHead, usedHead] = [element("h3", {}, trans.__("Versions")), element("h3", {}, trans.__("Learned from it"))];
  const body = element("div", {}, problems, target_of, spread, element("p", {}, code), head);
  box.append(header, line, trouble, body, versionsHead, versions, usedHead, used);
  choose.addEventListener("change", () => {
    target = choose.value || null;
    update(shown);
  });

  const update = (next: DatasetSight) => {
    shown = next;
    dress(box);
    const { dataset, preview } = next;
    const version = shownVersion(next);
    attribute(box, "aria-label", trans.__("Dataset %1", dataset?.name ?? shortId(next.id)));
    say(name, dataset ? `${dataset.name}${version ? ` v${version.version}` : ""}` : trans.__("Dataset"));
    attribute(name, "title", dataset?.name ?? null);
    say(id, shortId(next.id));
    attribute(id, "title", next.id);
    show(train, dataset !== null);
    say(line, version ? [version.filename, result(version), ago(version.created, next.now)].join(" · ") : "");
    say(trouble, next.trouble ?? "");
    show(trouble, next.trouble !== null);
    show(body, preview !== null);
    if (preview && version) {
      const suggested = preview.suggested_target;
      const picked = target ?? suggested?.name ?? null;
      fill(problems, JSON.stringify(preview.problems), () =>
        preview.problems.map((one) => element("li", {}, mark("warning"), element("span", {}, problem(one)))),
      );
      show(problems, preview.problems.length > 0);
      fill(choose, JSON.stringify([preview.columns.map((one) => one.name), suggested?.name]), () => [
        element("option", { value: "" }, trans.__("choose a column")),
        ...preview.columns.map((one) => element("option", { value: one.name }, one.name)),
      ]);
      if (choose.value !== (picked ?? "")) choose.value = picked ?? "";
      say(reason, suggested && picked === suggested.name ? trans.__("suggested: %1", suggested.reason) : "");
      const column = preview.columns.find((one) => one.name === picked);
      fill(spread, `${version.version} ${picked}`, () => {
        if (!column) return [];
        const parts = balance(column, preview.profiled_rows);
        // Of few numbers, too, each is a class.
        if (column.histogram && !parts) return [histogram(column.histogram, column.kind)];
        return (parts ?? []).map((part) => {
          const bar = element("i", {});
          bar.style.width = `${100 * part.share}%`;
          return element("div", { class: "part" }, element("span", { class: "of", title: part.value }, part.value), element("span", { class: "bar-of" }, bar), element("span", {}, part.text));
        });
      });
      if (dataset) say(code, trainingLine(dataset, version.version, picked));
      fill(head, `${next.id} ${version.version}`, () => [table(preview), wideOf(preview)]);
    }
    listVersions(dataset, version?.version ?? null, next.now);
    const { jobs, models } = next.lineage ?? { jobs: [], models: [] };
    show(usedHead, next.lineage !== null);
    fill(used, JSON.stringify(next.lineage), () =>
      jobs.length + models.length === 0
        ? [element("li", { class: "note" }, next.lineage ? trans.__("Nothing yet.") : "")]
        : [
            ...models.map((one) => link(`${one.name} v${one.version}`, one.used_as === "test" ? trans.__("model, tested on it") : trans.__("model"), one.model_id)),
            ...jobs.map((one) => link(`${one.name} · ${shortId(one.job_id)}`, one.used_as === "test" ? trans.__("job, tested on it") : trans.__("job"), one.job_id)),
          ],
    );
  };
  update(sight);
  return update;

  function wideOf({ columns, rows, profiled_rows }: Preview): HTMLElement | null {
    const shownColumns = rows[0]?.length ?? columns.length;
    const told = [
      shownColumns < columns.length ? trans.__("%1 of %2 columns are shown.", count(shownColumns), count(columns.length)) : "",
      profiled_rows < (shownVersion(shown)?.rows ?? 0) ? trans.__("Columns are described by the first %1 rows.", count(profiled_rows)) : "",
    ].filter(Boolean);
    return told.length > 0 ? element("p", { class: "note" }, told.join(" ")) : null;
  }

  function listVersions(dataset: Dataset | null, current: number | null, now: number): void {
    show(versionsHead, dataset !== null);
    const all = [...(dataset?.versions ?? [])].reverse();
    fill(versions, JSON.stringify([all, current, Math.floor(now / 60_000)]), () =>
      all.map((one) => {
        const text = element("span", {}, [one.filename, result(one), one.created_by, ago(one.created, now)].join(" · "));
        const button = element("button", { class: "link", type: "button" }, `v${one.version}`);
        attribute(button, "aria-current", one.version === current ? "true" : null);
        button.addEventListener("click", () => acts.version(one.version));
        return element("li", {}, button, text);
      }),
    );
  }

  function link(text: string, what: string, to: string): HTMLElement {
    const button = element("button", { class: "link", type: "button" }, text);
    button.addEventListener("click", () => acts.open(to));
    return element("li", {}, button, element("span", { class: "note" }, what));
  }

  async function begin(): Promise<void> {
    const lines = `import mlops_jupyter as mlops\n\njob = ${code.textContent}`;
    if (await acts.insert?.(lines)) return;
    await copy(lines);
    say(train, trans.__("Copied"));
    setTimeout(() => say(train, trans.__("Train…")), SAID_MS);
  }
}
