import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build } from "vite";

/** The built front end against its budgets, in bytes on the wire. */
const KB = 1_024;
const folder = mkdtempSync(join(tmpdir(), "front-end-"));
let manifest: Record<string, { file: string; imports?: string[] }>;

beforeAll(async () => {
  await build({ root: join(import.meta.dirname, ".."), logLevel: "silent", build: { outDir: folder, emptyOutDir: true } });
  manifest = JSON.parse(readFileSync(join(folder, ".vite/manifest.json"), "utf8")) as typeof manifest;
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

const packed = (file: string) => gzipSync(readFileSync(join(folder, file)), { level: 9 }).length;

function script(source: string): number {
  const { file, imports = [] } = manifest[source]!;
  return packed(file) + imports.reduce((bytes, each) => bytes + script(each), 0);
}

describe("the built front end", () => {
  it("keeps the live page's script within 45 KB", () => {
    expect(script("src/live.tsx")).toBeLessThanOrEqual(45 * KB);
  });

  it("keeps the other pages' script within 2 KB", () => {
    expect(script("src/page.ts")).toBeLessThanOrEqual(2 * KB);
  });

  it("keeps the live page's style sheet within 9 KB, and what other pages add within 5 KB", () => {
    expect(packed(manifest["src/styles/app.css"]!.file)).toBeLessThanOrEqual(9 * KB);
    expect(packed(manifest["src/styles/pages.css"]!.file)).toBeLessThanOrEqual(5 * KB);
  });

  it("keeps the fonts within 55 KB", () => {
    const fonts = readdirSync(join(folder, "assets")).filter((name) => name.endsWith(".woff2"));
    expect(fonts.length).toBe(2);
    expect(fonts.reduce((bytes, name) => bytes + readFileSync(join(folder, "assets", name)).length, 0)).toBeLessThanOrEqual(55 * KB);
  });

  it("leaves colours of both themes to the browser, and no address of another host", () => {
    const [shared, added] = ["app", "pages"].map((name) => readFileSync(join(folder, manifest[`src/styles/${name}.css`]!.file), "utf8"));
    expect(shared).toContain("light-dark(");
    expect(shared! + added!).not.toMatch(/https?:\/\//);
  });
});
