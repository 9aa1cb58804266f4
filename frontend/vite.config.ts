import { defineConfig } from "vitest/config";

/**
 * Entries, looked up by their source path in the manifest by the pages' templates: the live view,
 * the small script of the other pages, the set-up page's, the style sheet of all, and what other
 * pages add to it.
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
    rollupOptions: {
      input: ["live.tsx", "page.ts", "setup.ts", "reference.ts", "styles/app.css", "styles/pages.css", "styles/reference.css", "styles/issue.css"].map(
        (name) => `src/${name}`,
      ),
    },
  },
  test: { include: ["{src,tests}/**/*.test.{ts,tsx}"] },
});
