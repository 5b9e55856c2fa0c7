import process from "node:process";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

/** Where `nx serve dashboard` finds a running flow (`millrace run … --http 9464`). */
const FLOW = process.env["MILLRACE_DASHBOARD_FLOW"] ?? "http://127.0.0.1:9464";

const proxy = Object.fromEntries(
  ["/api", "/session", "/healthz", "/readyz", "/metrics"].map((path) => [
    path,
    { target: FLOW, changeOrigin: true },
  ]),
);

export default defineConfig({
  root: fileURLToPath(new URL("page", import.meta.url)),
  // The page works under any path.
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: fileURLToPath(new URL("dist/page", import.meta.url)),
    emptyOutDir: true,
    // The page's policy allows files of its own origin only, so nothing becomes a `data:` address.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The licences of what the page is bundled with require that they come with it.
    license: { fileName: "licenses.md" },
    reportCompressedSize: true,
  },
  server: { proxy },
});
