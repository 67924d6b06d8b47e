/** Which sections of the panel are folded, kept by the browser for all its pages. */

const FOLDED = "mlops_jupyter:folded";

export const folding = {
  folded: () => JSON.parse(localStorage.getItem(FOLDED) ?? "[]") as string[],
  fold: (names: readonly string[]) => localStorage.setItem(FOLDED, JSON.stringify(names)),
};
