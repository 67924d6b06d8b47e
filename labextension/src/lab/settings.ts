/** JupyterLab's settings of this extension, in force as soon as they are changed. */

import { Notification } from "@jupyterlab/apputils";
import type { ISettingRegistry } from "@jupyterlab/settingregistry";
import { type Preferences, prefer, preferences } from "../state/preferences";
import { allowed, impossible } from "./desktop";

/** `changed` is called with what held before, once the settings are read and at each change. */
export async function followSettings(registry: ISettingRegistry, plugin: string, changed: (before: Preferences) => void): Promise<void> {
  registry.transform(plugin, { fetch: withReasons });
  const settings = await registry.load(plugin);
  const take = () => {
    const before = preferences;
    // JupyterLab has checked them against the schema, and filled in the defaults.
    prefer(settings.composite as unknown as Partial<Preferences>);
    if (preferences.notify.browser && !before.notify.browser) void ask();
    changed(before);
  };
  settings.changed.connect(take);
  take();
}

/** The editor says of a setting that can do nothing here why that is so. */
function withReasons(plugin: ISettingRegistry.IPlugin): ISettingRegistry.IPlugin {
  const browser = plugin.schema.properties?.["notify"]?.properties?.["browser"];
  const why = impossible();
  if (browser && why !== null) browser.description = why;
  return plugin;
}

async function ask(): Promise<void> {
  const why = await allowed();
  if (why !== null) Notification.warning(why, { autoClose: 0 });
}
