"use strict";
/** What waits to be sent, and the sending of it: in order, again where that may help. */

const { encode } = require("./message");

const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 30_000;
const GIVE_UP_MS = 15 * 60_000;
const AGAIN = new Set([408, 425, 429, 500, 502, 503, 504]);

class Outbox {
  constructor(transport, settings, losses, tell) {
    Object.assign(this, { transport, settings, losses, tell });
    this.waiting = [];
    this.current = null;
    this.isDown = false;
    this.timer = null;
    this.idle = [];
    this.holders = 0;
  }

  put(message) {
    if (this.waiting.length >= this.settings.maxQueue) {
      this.waiting.shift();
      this.losses.add("queue");
    }
    this.waiting.push(message);
    if (!this.current) this.next();
    return true;
  }

  next() {
    this.current = this.waiting.shift() || null;
    if (!this.current) return this.settle();
    // After what called us: a call costs its program no request's beginning.
    setImmediate((message) => this.send(message, FIRST_WAIT_MS), this.current);
  }

  /** Send a message, or wait and send it again; then the next. Never rejects. */
  async send(message, waitMs) {
    const body = encode(message, this.settings, this.losses);
    if (body === null) return this.next();
    let problem;
    let retryMs = waitMs;
    try {
      const answer = await this.transport.post(message.path, body, () => this.holders > 0);
      problem = judge(answer);
      this.isDown = AGAIN.has(answer.status);
      retryMs = Math.max(waitMs, 1000 * (Number(answer.headers["retry-after"]) || 0));
      if (!problem || !isWorthTrying(answer)) return this.finish(message, problem);
    } catch (error) {
      this.isDown = true;
      problem = String(error && error.message ? error.message : error);
    }
    this.tell(problem);
    // A log message has no _id: sent again without a clear answer it could be there twice.
    if (message.path === "/log" || Date.now() - message.at > GIVE_UP_MS) return this.finish(message, problem);
    this.timer = setTimeout(() => {
      this.timer = null;
      void this.send(message, Math.min(2 * waitMs, MAX_WAIT_MS));
    }, Math.min(retryMs, 5 * MAX_WAIT_MS));
    if (!this.holders) this.timer.unref();
  }

  finish(message, problem) {
    if (problem) {
      this.tell(problem);
      this.losses.add("unsent");
    }
    this.next();
  }

  settle() {
    for (const resolve of this.idle.splice(0)) resolve(true);
  }

  /** Whether everything went out, or was given up, within `ms`. Keeps the program alive so long. */
  async flush(ms) {
    if (!this.current) return true;
    this.hold(1);
    let timer;
    const late = new Promise((resolve) => (timer = setTimeout(resolve, ms, false)));
    const done = new Promise((resolve) => this.idle.push(resolve));
    const isDone = await Promise.race([done, late]);
    clearTimeout(timer);
    this.hold(-1);
    return isDone;
  }

  hold(more) {
    this.holders += more;
    this.transport.hold(this.holders > 0);
    if (this.timer) this.timer[this.holders ? "ref" : "unref"]();
  }

  /** All that was not sent, and will not be by us. */
  take() {
    const left = this.current ? [this.current, ...this.waiting] : [];
    this.waiting = [];
    this.current = null;
    return left;
  }
}

/** What is wrong with an answer; "" when the message is stored. */
function judge({ status, headers, text }) {
  if (status >= 300 && status < 400) return `the server answered ${status} to ${headers.location}`;
  if (status !== 200) return `the server answered ${status}`;
  try {
    const said = JSON.parse(text);
    return said.success === true ? "" : String(said.errorMsg || "the server did not take it");
  } catch {
    return "the answer is not ErrorStack's";
  }
}

function isWorthTrying({ status, text }) {
  return AGAIN.has(status) || (status === 200 && !text.trimStart().startsWith("{"));
}

module.exports = { Outbox };
