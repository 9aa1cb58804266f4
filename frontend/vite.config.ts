import { defineConfig } from "vitest/config";

/**
 * Three entries, looked up by their source path in the manifest by the pages' templates:
 * the live view, the small script of the other pages, and the one style sheet of them all.
 */
export default defineConfig({
  base: "./", // fonts are named relative to the style sheet, so static/ may be served anywhere
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../errorstack_live/web/static",
    emptyOutDir: true,
    manifest: true,
    target: ["chrome123", "firefox120", "safari17.5"], // the first with light-dark()
    assetsInlineLimit: 0, // the policy lets no font come from a data: address
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: { input: ["src/live.tsx", "src/page.ts", "src/styles/app.css"] },
  },
  test: { include: ["{src,tests}/**/*.test.{ts,tsx}"] },
});
