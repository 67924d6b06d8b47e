/**
 * The words of the front end: every string that a user sees goes through `trans`. The names are gettext's, as
 * JupyterLab has them; `%1`, `%2` stand for the values, and in `_n` `%1` is the number. Asked when something is shown,
 * never while a module loads: the language comes later. Not here: what the server says, which is data.
 */

export interface Words {
  __(text: string, ...values: string[]): string;
  _n(one: string, many: string, n: number, ...values: string[]): string;
}

/** English, as it is written: where nobody brings another language. */
export const ENGLISH: Words = {
  __: (text, ...values) => filled(text, values),
  _n: (one, many, n, ...values) => filled(n === 1 ? one : many, [String(n), ...values]),
};

export let trans: Words = ENGLISH;

/** A widget is loaded as a bundle of its own, with a `trans` of its own: this is where it finds what the page speaks. */
const SPOKEN = Symbol.for("mlops_jupyter:words");
const page = globalThis as { [SPOKEN]?: Words };

/** Speak this language from now on, and let every bundle of ours in this page do so. */
export function speak(language: Words): void {
  trans = language;
  page[SPOKEN] = language;
}

/** Speak what the page speaks, if it was told. */
export function speakAsPage(): void {
  trans = page[SPOKEN] ?? trans;
}

function filled(text: string, values: readonly string[]): string {
  return text.replace(/%(\d)/g, (_, place: string) => values[Number(place) - 1] ?? "");
}
