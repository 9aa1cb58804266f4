"use strict";
/** A message on its way: made once, encoded once, the same bytes on every try. */

const { texts } = require("./fields");

class Losses {
  constructor() {
    this.counts = new Map();
  }

  add(reason) {
    this.counts.set(reason, (this.counts.get(reason) || 0) + 1);
  }

  /** What was lost since the last time, for the message that is about to tell it. */
  take() {
    const told = [...this.counts].map(([reason, count]) => [`dropped_${reason}`, String(count)]);
    this.counts.clear();
    return told;
  }
}

/** The form of a message; null when the scrub hook wants nothing sent, or fails. */
function encode(message, settings, losses) {
  if (message.body !== undefined) return message.body;
  let pairs = message.pairs;
  if (settings.scrub) {
    try {
      const left = settings.scrub(join(pairs));
      pairs = left ? texts(left) : null;
    } catch {
      pairs = null;
    }
    if (!pairs) losses.add("scrub");
  }
  message.body = pairs && form(message, pairs, settings, losses);
  return message.body;
}

function form(message, pairs, settings, losses) {
  const reserved = [["_s", settings.key], ["_r", "json"]];
  if (message.path === "/submit") reserved.push(["_id", message.id], ...losses.take());
  return new URLSearchParams([...reserved, ...pairs]).toString();
}

function join(pairs) {
  const fields = {};
  for (const [name, text] of pairs) fields[name] = name in fields ? [].concat(fields[name], text) : text;
  return fields;
}

module.exports = { Losses, encode };
