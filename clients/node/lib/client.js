"use strict";
/** What a program calls: every way to say that something happened. */

const { AsyncLocalStorage } = require("node:async_hooks");
const { randomBytes } = require("node:crypto");
const os = require("node:os");
const path = require("node:path");
const { spawnSync } = require("node:child_process");

const { texts, thrown } = require("./fields");
const { Gate } = require("./gate");
const { Losses, encode } = require("./message");
const { Outbox } = require("./outbox");
const { Transport } = require("./transport");

const EXIT_MS = 2_000;
const MAX_TIMEOUT_MS = 3_000;

class Client {
  #sent = new WeakMap();
  #watched = new AsyncLocalStorage();
  #settings;
  #losses = new Losses();
  #outbox = null;
  #gates;
  #isInside = false;
  #hasEnded = false;
  #problems = new Set();

  /** Never throws: without a key or an address it says so once and sends nothing. */
  constructor(options = {}) {
    const { key = "", endpoint = "", maxQueue = 200, perMinute = 120, dedupeSeconds = 10 } = options;
    const { timeoutMs = MAX_TIMEOUT_MS, release, environment, fields, scrub, tls } = options;
    const always = { release, environment, host: os.hostname(), Platform: `Node ${process.versions.node}`, ...fields };
    this.#settings = { key: String(key).trim(), maxQueue, scrub, always };
    this.#gates = { "/submit": new Gate(perMinute, dedupeSeconds * 1000), "/log": new Gate(perMinute, 0) };
    this.lastProblem = "";
    try {
      if (!this.#settings.key) throw new TypeError("there is no stack key");
      const transport = new Transport(endpoint, Math.min(timeoutMs, MAX_TIMEOUT_MS), tls);
      this.#outbox = new Outbox(transport, this.#settings, this.#losses, (problem) => this.#tell(problem));
    } catch (error) {
      this.#tell(`nothing will be sent: ${error.message}`);
    }
    process.on("beforeExit", this.#end);
    process.on("exit", this.#lastWords);
  }

  /** Whether there is a key and an address to send to. */
  get isEnabled() {
    return this.#outbox !== null;
  }

  /** Send an error: an Error, a text, or fields; `more` fields go with it. False: it is not sent. */
  submit(what, more) {
    return this.#offer("/submit", () => {
      const isFields = typeof what === "object" && what !== null && !(what instanceof Error);
      if (what instanceof Error && this.#isSent(what)) return null;
      const said = isFields ? what : thrown(what);
      if (!(what instanceof Error) && !isFields) delete said.name;
      const whole = { ...said, ...more };
      for (const others of [this.#watched.getStore(), this.#settings.always]) {
        for (const name in others) if (!(name in whole)) whole[name] = others[name];
      }
      return whole;
    });
  }

  /** Send a log message: a text, or fields. False when it is not sent. */
  log(what) {
    const isFields = typeof what === "object" && what !== null && !(what instanceof Error);
    return this.#offer("/log", () => (isFields ? what : { _msg: what instanceof Error ? what.stack : String(what) }));
  }

  /** Run `action`; whatever is submitted inside it, however late, has these fields too. */
  watch(fields, action) {
    return this.#watched.run({ ...this.#watched.getStore(), ...fields }, action);
  }

  /** Resolves when everything went out or was given up; to false when `ms` was not enough. */
  flush(ms = EXIT_MS) {
    return this.#outbox ? this.#outbox.flush(ms) : Promise.resolve(true);
  }

  /** Send what waits and take nothing more. Resolves as `flush`. */
  async close(ms = EXIT_MS) {
    const isDone = await this.flush(ms);
    process.off("beforeExit", this.#end);
    process.off("exit", this.#lastWords);
    this.#outbox?.transport.close();
    this.#outbox = null;
    return isDone;
  }

  /** Send what waits without returning to the event loop: the program ends now. For the hooks. */
  sendNow() {
    const outbox = this.#outbox;
    if (!outbox) return;
    const messages = outbox.take().map((each) => [each.path, encode(each, this.#settings, this.#losses)]);
    const bodies = messages.filter(([, body]) => body);
    if (!bodies.length) return;
    const input = JSON.stringify({ base: outbox.transport.base, bodies });
    spawnSync(process.execPath, [path.join(__dirname, "lastwords.js")], {
      input,
      timeout: EXIT_MS,
      killSignal: "SIGKILL",
      stdio: ["pipe", "ignore", "ignore"],
      env: { NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS ?? "" },
    });
  }

  /** The program has nothing more to do: it waits for us, once, and not for a server that is down. */
  #end = () => {
    if (this.#hasEnded || !this.#outbox || this.#outbox.isDown) return;
    this.#hasEnded = true;
    void this.flush(EXIT_MS).then((isDone) => {
      if (!isDone && this.#outbox) this.#outbox.isDown = true;
    });
  };

  #lastWords = () => {
    if (!this.#outbox?.isDown) this.sendNow();
  };

  #offer(path, fields) {
    if (this.#isInside || !this.#outbox) return false; // a getter or a hook of the program's calls us
    this.#isInside = true;
    try {
      const said = fields();
      if (!said) return false;
      const pairs = texts(said);
      const refusal = this.#gates[path].refusal(JSON.stringify(pairs), performance.now());
      if (refusal) this.#losses.add(refusal);
      if (refusal) return false;
      return this.#outbox.put({ path, pairs, id: randomBytes(16).toString("hex"), at: Date.now() });
    } catch (error) {
      this.#losses.add("unreadable");
      return false;
    } finally {
      this.#isInside = false;
    }
  }

  /** Whether this very error was submitted before, by whatever layer; now it is. */
  #isSent(error) {
    if (this.#sent.has(error)) return true;
    this.#sent.set(error, true);
    return false;
  }

  #tell(problem) {
    this.lastProblem = problem;
    if (this.#problems.size < 20 && !this.#problems.has(problem)) {
      this.#problems.add(problem);
      process.emitWarning(problem, "ErrorStack");
    }
  }
}

module.exports = { Client };
