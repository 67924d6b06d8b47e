/** What the user prefers on this page. The defaults hold where no host has settings; JupyterLab's are schema/plugin.json. */

export interface Preferences {
  connection: "auto" | "websocket" | "polling";
  /** Between two polls of a page that is shown. */
  pollSeconds: number;
  notify: {
    finished: boolean;
    /** Lost jobs, too. */
    failed: boolean;
    /** The machine's, and whether its server answers. */
    health: boolean;
    /** Models that are live, could not be deployed or were given up, and round numbers of predictions. */
    deploy: boolean;
    /** Who waited for less for a job that finished is still looking. */
    minSeconds: number;
    /** Also by the browser, while the page is hidden. */
    browser: boolean;
  };
  openPanelOnTrain: boolean;
  /** Of curves, where nothing else was chosen on their card. */
  smoothing: number;
  xAxis: "step" | "time";
  reduceMotion: "auto" | "always";
  /** Seconds a job has run after which stopping it takes two steps. */
  confirmStopAfter: number;
  statusBar: boolean;
}

export const DEFAULTS: Preferences = {
  connection: "auto",
  pollSeconds: 2,
  notify: { finished: true, failed: true, health: true, deploy: true, minSeconds: 10, browser: false },
  openPanelOnTrain: false,
  smoothing: 0,
  xAxis: "step",
  reduceMotion: "auto",
  confirmStopAfter: 10,
  statusBar: true,
};

export let preferences: Preferences = DEFAULTS;

const changes = new EventTarget();

export function prefer(wishes: Partial<Preferences>): void {
  preferences = { ...DEFAULTS, ...wishes };
  changes.dispatchEvent(new Event("change"));
}

/** Calls back whenever others are in force: for views that nothing else brings up to date. */
export function watchPreferences(changed: () => void, signal: AbortSignal): void {
  changes.addEventListener("change", changed, { signal });
}
