/**
 * Builds released/VERSION.js, what pages load: the source as one small script of old JavaScript.
 * Released files stay for ever: pages name them with their hash. `node build.mjs --check` only says
 * whether the newest is of this source. It needs the front end's node_modules.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const here = (name) => new URL(name, import.meta.url);
const tools = createRequire(here("../../frontend/package.json"));
const { rolldown } = await import(pathToFileURL(tools.resolve("rolldown")).href);

const { version } = JSON.parse(readFileSync(here("package.json"), "utf8"));
const bundle = await rolldown({ input: here("src/tag.js").pathname, transform: { target: "es2015" } });
const { output } = await bundle.generate({
  format: "iife",
  minify: { compress: { target: "es2015" }, mangle: true, codegen: { legalComments: "none" } },
});
// The minifier writes strings as templates and notes for itself; browsers of 2010 know neither.
const code = output[0].code
  .replace(/\/\* @__PURE__ \*\/ /g, "")
  .replace(/`((?:[^`$\\]|\$(?!{))*)`/g, (_, text) => JSON.stringify(text).replace("\ufffd", "\\ufffd"))
  .trim();
const built = `/* errorstack-beacon ${version} */\n${code}\n`;
const hash = createHash("sha384").update(built).digest("base64");
const file = here(`released/${version}.js`);

if (process.argv.includes("--check")) {
  if (readFileSync(file, "utf8") !== built) throw new Error(`${file.pathname} is not of this source`);
} else {
  writeFileSync(file, built);
}
console.log(`sha384-${hash}`);
