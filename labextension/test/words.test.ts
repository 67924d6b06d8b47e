import { Gettext } from "@jupyterlab/translation/lib/gettext";
import { afterEach, expect, test } from "vitest";
import { ENGLISH, speak, trans, type Words } from "../src/words";

afterEach(() => speak(ENGLISH));

/** As JupyterLab makes one of a language pack's catalogue. */
function german(): Words {
  const language = new Gettext({ locale: "de_DE", domain: "mlops_jupyter" });
  language.loadJSON(
    {
      "": { domain: "mlops_jupyter", language: "de-DE", pluralForms: "nplurals=2; plural=(n != 1);" } as never,
      "%1 finished in %2": ["Nach %2 fertig: %1"],
      "%1 event": ["%1 Ereignis", "%1 Ereignisse"],
    },
    "mlops_jupyter",
  );
  return language;
}

test("a language pack of JupyterLab is spoken, places of values and numbers as it has them", () => {
  const said = () => [trans.__("%1 finished in %2", "mlp", "3 s"), ...[0, 1, 2].map((n) => trans._n("%1 event", "%1 events", n)), trans.__("Stop")];
  expect(said()).toEqual(["mlp finished in 3 s", "0 events", "1 event", "2 events", "Stop"]);
  speak(german());
  expect(said()).toEqual(["Nach 3 s fertig: mlp", "0 Ereignisse", "1 Ereignis", "2 Ereignisse", "Stop"]);
});

test("values are put in once: what a user named is no place for another", () => {
  const named = ["%2 {0} %1", "b"];
  expect(ENGLISH.__("%1: %2", ...named)).toBe("%2 {0} %1: b");
  expect(german().__("%1: %2", ...named)).toBe(ENGLISH.__("%1: %2", ...named));
});
