/** The JupyterLab extension: jobs in cell outputs, live when the server knows them. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { IRenderMimeRegistry } from "@jupyterlab/rendermime";
import { MIME_TYPE } from "../widgets/saved";
import { JobRenderer } from "./renderer";

const renderer: JupyterFrontEndPlugin<void> = {
  id: "mlops_jupyter:renderer",
  description: "Shows training jobs in cell outputs.",
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate: (_app: JupyterFrontEnd, registry: IRenderMimeRegistry) => {
    registry.addFactory(
      {
        // Its text is only ever text: it may be shown in notebooks nobody has trusted.
        safe: true,
        mimeTypes: [MIME_TYPE],
        createRenderer: () => new JobRenderer(),
      },
      // Before the widget's own view (−10), which does not survive a restart of the kernel.
      -20,
    );
  },
};

export default [renderer];
