/** The mark of the product: a curve that rises to a point. */

import { LabIcon } from "@jupyterlab/ui-components";

export const icon = new LabIcon({
  name: "mlops_jupyter:icon",
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">' +
    '<g class="jp-icon3" fill="#616161"><path d="M2 1.5h1.4v11.1h11.1V14H2z"/>' +
    '<path d="M4.6 10.4c2.6-.3 3.1-4.6 7-5.9l.4 1.3c-3 1-3.6 5.6-7.2 6z"/><circle cx="12.6" cy="4.6" r="1.9"/></g></svg>',
});
