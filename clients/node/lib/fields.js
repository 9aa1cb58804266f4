"use strict";
/** What a program says, as the names and texts of a form. */

const MAX_FIELDS = 200;
const MAX_VALUE_CHARS = 32_768;
const MAX_CHARS = 262_144;
const MAX_DEPTH = 8;
const MAX_CAUSES = 10;

/** Flatten to [name, text] pairs: nested objects get names with dots, "order.id". Never throws. */
function texts(fields) {
  const found = [];
  let room = MAX_CHARS;
  const seen = new Set();

  function put(name, value, depth) {
    if (value === undefined || value === null || name.startsWith("_") && depth === 0 && !own.has(name)) return;
    if (found.length >= MAX_FIELDS) return;
    if (Array.isArray(value) && value.every((each) => typeof each !== "object")) {
      for (const each of value.slice(0, 100)) add(name, each);
    } else if (isPlain(value) && depth < MAX_DEPTH && !seen.has(value)) {
      seen.add(value);
      for (const key of Object.keys(value)) put(`${name}.${key}`, read(value, key), depth + 1);
    } else add(name, value);
  }

  function add(name, value) {
    const text = cut(textOf(value), Math.min(MAX_VALUE_CHARS, room));
    room -= text.length;
    if (found.length < MAX_FIELDS) found.push([name, text]);
  }

  for (const name of Object.keys(fields)) put(name, read(fields, name), 0);
  return found;
}

const own = new Set(["_msg", "_t"]);

function read(from, name) {
  try {
    return from[name];
  } catch (error) {
    return `<cannot be read: ${error}>`;
  }
}

function isPlain(value) {
  if (typeof value !== "object" || Array.isArray(value)) return false;
  const kind = Object.getPrototypeOf(value);
  return kind === Object.prototype || kind === null;
}

function textOf(value) {
  try {
    if (value instanceof Error) return value.stack || String(value);
    if (value instanceof Date) return value.toISOString();
    if (typeof value === "object") return JSON.stringify(value) ?? String(value);
    return String(value);
  } catch {
    return `<${typeof value} that cannot be shown>`;
  }
}

/** The middle is left out: the ends of a text tell the most. */
function cut(text, max) {
  if (text.length <= max) return text;
  const half = Math.max(0, Math.floor(max / 2) - 20);
  return `${text.slice(0, half)} … ${text.length - 2 * half} characters left out … ${text.slice(-half || text.length)}`;
}

/** The fields of what was thrown: an error with its causes and its own properties, or anything else. */
function thrown(error) {
  if (!(error instanceof Error)) return { Msg: textOf(error), name: `thrown ${typeof error}` };
  const { message, name, stack, cause, ...more } = { ...error, message: error.message, name: error.name, stack: error.stack };
  return { ...more, Msg: message || name, name, stack: trace(error) };
}

function trace(error) {
  const parts = [];
  for (let each = error; each instanceof Error && parts.length < MAX_CAUSES; each = each.cause) {
    parts.push(`${parts.length ? "Caused by: " : ""}${each.stack || each}`);
  }
  return parts.join("\n");
}

module.exports = { texts, thrown };
