/** How often something costly is painted: four times a second, once in a hidden tab, never out of view. */

const SHOWN_MS = 250;
const HIDDEN_MS = 1_000;

/** Returns what asks for a painting; the first is done at once. */
export function paced(el: Element, paint: () => void, signal: AbortSignal): () => void {
  let last = Number.NEGATIVE_INFINITY;
  let inView = true;
  let wanted = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const ask = () => {
    wanted = true;
    if (timer !== undefined || !inView || signal.aborted) return;
    const every = document.visibilityState === "hidden" ? HIDDEN_MS : SHOWN_MS;
    const wait = last + every - performance.now();
    if (wait <= 0) now();
    else timer = setTimeout(now, wait);
  };

  function now(): void {
    timer = undefined;
    if (!inView) return;
    wanted = false;
    last = performance.now();
    paint();
  }

  const observer = new IntersectionObserver((entries) => {
    inView = entries.at(-1)?.isIntersecting ?? true;
    if (inView && wanted) ask();
  });
  observer.observe(el);
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    observer.disconnect();
  });
  return ask;
}
