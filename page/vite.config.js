import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { defineConfig } from "vite";

const BUILT = "../src/leadyard/http/page/built";

/** Ends the lines of the built files as .editorconfig has it. */
const tidy = {
  name: "tidy",
  closeBundle() {
    for (const name of readdirSync(BUILT, { recursive: true })) {
      if (!/\.(html|md|js|css|svg)$/.test(name)) continue;
      const text = readFileSync(`${BUILT}/${name}`, "utf-8");
      const lines = /\.(html|md)$/.test(name) ? text.replace(/\r/g, "").replace(/[ \t]+$/gm, "") : text;
      writeFileSync(`${BUILT}/${name}`, `${lines.trimEnd()}\n`);
    }
  },
};

// `script/page` builds the page into the package, and the built files are committed: a user needs no Node.
export default defineConfig({
  base: "./",
  plugins: [tidy],
  build: {
    outDir: BUILT,
    emptyOutDir: true,
    target: "es2022",
    // The policy of the page allows no data: URLs and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    // The licences of the libraries in the page ask for their texts.
    license: { fileName: "licences.md" },
  },
  // The requests come from the client in the repository.
  server: { fs: { allow: [".."] }, proxy: { "/v1": "http://127.0.0.1:8000", "/session": "http://127.0.0.1:8000" } },
});
