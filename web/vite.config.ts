import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

const API = "http://127.0.0.1:8050"; // where `binround api` listens while the console is worked on

export default defineConfig({
  plugins: [svelte({ configFile: false })],
  build: {
    target: "es2022",
    outDir: "../api/static",
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the content security policy allows no inline fonts or scripts
    chunkSizeWarningLimit: 1500,
    rolldownOptions: { input: { index: "index.html", docs: "docs.html" } },
  },
  server: { proxy: { "/v1": API, "/openapi.json": API } },
});
