import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

const api = process.env.BINROUND_API ?? "http://127.0.0.1:8050";

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
  server: { proxy: { "/v1": { target: api, changeOrigin: true }, "/openapi.json": api } },
});
