/** JupyterLab's settings of this extension, in force as soon as they are changed. */

import type { ISettingRegistry } from "@jupyterlab/settingregistry";
import { type Preferences, prefer, preferences } from "../state/preferences";

/** `changed` is called with what held before, once the settings are read and at each change. */
export async function followSettings(registry: ISettingRegistry, plugin: string, changed: (before: Preferences) => void): Promise<void> {
  const settings = await registry.load(plugin);
  const take = () => {
    const before = preferences;
    // JupyterLab has checked them against the schema, and filled in the defaults.
    prefer(settings.composite as unknown as Partial<Preferences>);
    changed(before);
  };
  settings.changed.connect(take);
  take();
}
