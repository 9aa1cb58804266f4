import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { build } from "vite";

/** The built front end against its budgets, in bytes on the wire. */
const KB = 1_024;
const folder = mkdtempSync(join(tmpdir(), "front-end-"));
let manifest: Record<string, { file: string; imports?: string[]; dynamicImports?: string[]; css?: string[] }>;

beforeAll(async () => {
  vi.stubEnv("NODE_ENV", "production"); // else what is built is what a test would get
  await build({ root: join(import.meta.dirname, ".."), logLevel: "silent", build: { outDir: folder, emptyOutDir: true } });
  manifest = JSON.parse(readFileSync(join(folder, ".vite/manifest.json"), "utf8")) as typeof manifest;
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

const packed = (file: string) => gzipSync(readFileSync(join(folder, file)), { level: 9 }).length;

/** The chunks that come with one, itself first. */
function chunks(source: string): string[] {
  const { imports = [] } = manifest[source]!;
  return [source, ...imports.flatMap(chunks)];
}

/** The chunks that may come later. */
function later(source: string): string[] {
  return manifest[source]!.dynamicImports ?? [];
}

/** Dialogs and the wallboard: nobody loads them who does not ask for them by name, one at a time. */
const ASKED = /ui\/(alarms|dialogs|wall)\.tsx?$/;
/** What an issue's own page adds to the live view's script; the live view itself never loads it. */
const ISSUE_PAGE = "src/issue.tsx";

const styles = (sources: Iterable<string>) => {
  const sheets = new Set([...sources].flatMap((source) => manifest[source]!.css ?? []));
  return [...sheets].reduce((bytes, sheet) => bytes + packed(sheet), 0);
};
const script = (sources: Iterable<string>) => [...sources].reduce((bytes, source) => bytes + packed(manifest[source]!.file), 0);

describe("the built front end", () => {
  it("keeps the live page's script within 45 KB", () => {
    expect(script(new Set(chunks("src/live.tsx")))).toBeLessThanOrEqual(45 * KB);
  });

  it("keeps what the live view loads later within 25 KB, its styles within 5 KB", () => {
    const first = new Set(chunks("src/live.tsx"));
    const all = [...first].flatMap(later).filter((source) => source !== ISSUE_PAGE);
    const panels = new Set(all.filter((source) => !ASKED.test(source)).flatMap(chunks).filter((source) => !first.has(source)));
    const asked = new Set(all.filter((source) => ASKED.test(source)).flatMap(chunks).filter((source) => !first.has(source) && !panels.has(source)));
    expect([panels.size >= 4, asked.size >= 2]).toEqual([true, true]);
    expect(script(panels)).toBeLessThanOrEqual(25 * KB);
    expect(styles(panels)).toBeLessThanOrEqual(5 * KB);
    expect(script(asked)).toBeLessThanOrEqual(12 * KB);
    expect(styles(asked)).toBeLessThanOrEqual(4 * KB);
  });

  it("keeps what an issue's page adds within 5 KB", () => {
    const first = new Set(chunks("src/live.tsx"));
    expect(script(new Set(chunks(ISSUE_PAGE).filter((source) => !first.has(source))))).toBeLessThanOrEqual(5 * KB);
  });

  it("keeps the other pages' script within 2 KB", () => {
    expect(script(new Set(chunks("src/page.ts")))).toBeLessThanOrEqual(2 * KB);
  });

  it("keeps the set-up page's script within 10 KB", () => {
    expect(script(new Set(chunks("src/setup.ts")))).toBeLessThanOrEqual(10 * KB);
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
