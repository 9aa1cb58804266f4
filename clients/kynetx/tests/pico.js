// A pico with the ErrorStack ruleset and one that uses it:
// node pico.js NODE_MODULES MODULE.krl USER.krl CONFIG EVENTS SETTLE_MS
// CONFIG is the module's, EVENTS a list of [domain, name, attributes, wait_ms]. It says one line of JSON: how
// long each event took, in ms, and what the module's status() is once nothing waits, or after SETTLE_MS.
"use strict";

const fs = require("fs");
const path = require("path");
const [modules, moduleFile, userFile, config, events, settleMs] = process.argv.slice(2);
const load = (name) => require(path.join(modules, name));

const { PicoEngineCore, RulesetRegistryLoaderMem } = load("pico-engine-core");
const memdown = load("memdown");
const MODULE = "com.errorstack.client";

const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
const allow = { allow: [{ domain: "*", name: "*" }], deny: [] };
const allowQueries = { allow: [{ rid: "*", name: "*" }], deny: [] };

async function main() {
  const engine = new PicoEngineCore({
    leveldown: memdown(),
    rsRegLoader: RulesetRegistryLoaderMem((file) => fs.promises.readFile(file, "utf8")),
    log: quiet,
    getPicoLogs: async () => [],
  });
  await engine.start();
  const pico = engine.picoFramework.rootPico;
  const { id: eci } = await pico.newChannel({
    tags: ["self"],
    eventPolicy: allow,
    queryPolicy: allowQueries,
  });
  for (const file of [moduleFile, userFile]) {
    const { ruleset } = await engine.rsRegistry.load(file);
    await pico.install(ruleset, { url: file, config: JSON.parse(config) });
  }
  const spent = [];
  for (const [domain, name, attrs, wait] of JSON.parse(events)) {
    const began = process.hrtime.bigint();
    await engine.eventWait({ eci, domain, name, data: { attrs }, time: 0 });
    spent.push(Number(process.hrtime.bigint() - began) / 1e6);
    await new Promise((done) => setTimeout(done, wait || 0));
  }
  const ask = () => engine.query({ eci, rid: MODULE, name: "status", args: {} });
  const end = Date.now() + Number(settleMs);
  let status = await ask();
  while (status.waiting > 0 && Date.now() < end) {
    await new Promise((done) => setTimeout(done, 20));
    status = await ask();
  }
  console.log(JSON.stringify({ spent, status }));
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
