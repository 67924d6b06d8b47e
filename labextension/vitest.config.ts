import { readFile } from "node:fs/promises";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [
    {
      // The bundler imports style sheets as text; the tests do the same.
      name: "css-as-text",
      enforce: "pre",
      async load(id) {
        const path = id.split("?")[0] ?? id;
        if (!path.endsWith(".css")) return null;
        return { code: `export default ${JSON.stringify(await readFile(path, "utf8"))}`, moduleType: "js" };
      },
    },
  ],
  test: {
    include: ["test/**/*.test.ts"],
    environment: "happy-dom",
    // A document of its own for each file takes as long as all the tests; each test clears what it put there.
    isolate: false,
    testTimeout: 10_000,
  },
});
