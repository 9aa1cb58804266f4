"use strict";
/** One request at a time to the server, on a connection that is kept and keeps no program alive. */

const http = require("node:http");
const https = require("node:https");

const MAX_ANSWER_BYTES = 65_536;
const FORM = "application/x-www-form-urlencoded";

class Transport {
  /** Throws where `endpoint` is no address. `tls`: options of node:tls, like `ca`. */
  constructor(endpoint, timeoutMs, tls) {
    const url = new URL(endpoint);
    if (!/^https?:$/.test(url.protocol)) throw new TypeError(`${endpoint} is not an http address`);
    this.base = `${url.origin}${url.pathname.replace(/\/(submit|log)?\/?$/, "")}`;
    this.timeoutMs = timeoutMs;
    this.module = url.protocol === "https:" ? https : http;
    this.agent = new this.module.Agent({ keepAlive: true, maxSockets: 1, ...tls });
  }

  /** Resolves to {status, headers, text}; rejects where there is no answer within the timeout. */
  async post(path, body, isHeld) {
    try {
      return await this.try(path, body, isHeld);
    } catch (error) {
      // The server closed a kept connection while the request was on its way.
      if (error.code !== "ECONNRESET" || !this.request.reusedSocket) throw error;
      return this.try(path, body, isHeld);
    }
  }

  try(path, body, isHeld) {
    return new Promise((resolve, reject) => {
      const headers = { "Content-Type": FORM, "Content-Length": Buffer.byteLength(body) };
      const request = this.module.request(this.base + path, { method: "POST", agent: this.agent, headers });
      const timer = setTimeout(() => request.destroy(new Error("no answer in time")), this.timeoutMs);
      if (!isHeld()) timer.unref();
      request.on("socket", (socket) => (isHeld() ? socket.ref() : socket.unref()));
      request.on("close", () => clearTimeout(timer));
      request.on("error", reject);
      request.on("response", (response) => {
        const parts = [];
        let size = 0;
        response.on("data", (part) => {
          size += part.length;
          if (size > MAX_ANSWER_BYTES) request.destroy(new Error("an endless answer"));
          else parts.push(part);
        });
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(parts).toString();
          resolve({ status: response.statusCode, headers: response.headers, text });
        });
      });
      this.request = request;
      request.end(body);
    });
  }

  /** Let the request under way keep the program alive, or not. */
  hold(isHeld) {
    const socket = this.request && this.request.socket;
    if (socket) socket[isHeld ? "ref" : "unref"]();
  }

  close() {
    this.agent.destroy();
  }
}

module.exports = { Transport };
