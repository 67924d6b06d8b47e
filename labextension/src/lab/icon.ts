/** The mark of the product: a curve that rises to a point. */

import { LabIcon } from "@jupyterlab/ui-components";
import svgstr from "../icon.svg";

export const icon = new LabIcon({ name: "mlops_jupyter:icon", svgstr });
