// Bundles the sources: what anywidget and the page of its own load, what JupyterLab's builder takes up, and (on request)
// the harness.
import { copyFileSync, rmSync } from "node:fs";
import { basename } from "node:path";
import { build } from "esbuild";

const common = {
  bundle: true,
  format: "esm",
  target: "es2022",
  loader: { ".css": "text", ".svg": "text" },
  legalComments: "none",
  logLevel: "warning",
};

if (process.argv[2] === "harness") {
  await build({
    ...common,
    entryPoints: { harness: "harness/page.ts", repaint: "harness/repaint.ts" },
    outdir: "harness/build",
    sourcemap: "inline",
  });
} else {
  rmSync("../mlops_jupyter/static", { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: { job: "src/widgets/job.ts", board: "src/widgets/board.ts", pipeline: "src/widgets/pipeline.ts" },
    outdir: "../mlops_jupyter/static",
    minify: true,
  });
  await build({
    ...common,
    // No modules: JupyterHub sends none to whoever has a cookie alone (Sec-Fetch-Mode: cors).
    format: "iife",
    entryPoints: { page: "src/page/index.ts", debug: "src/page/debug.ts" },
    outdir: "../mlops_jupyter/static",
    minify: true,
  });
  for (const name of ["page/page.html", "page/debug.html", "page/page.css", "icon.svg"]) {
    copyFileSync(`src/${name}`, `../mlops_jupyter/static/${basename(name)}`);
  }
  // The bundles hold uPlot; its licence goes with them.
  copyFileSync("node_modules/uplot/LICENSE", "../mlops_jupyter/static/uPlot.LICENSE.txt");
  await build({
    ...common,
    entryPoints: { index: "src/lab/index.ts" },
    outdir: "lib",
    // JupyterLab brings these; a copy of our own would be another class than the application's.
    external: ["@jupyterlab/*", "@lumino/*"],
  });
}
