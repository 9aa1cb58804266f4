/** An error as text for elsewhere: a command that sends it again, a paragraph for an issue tracker. */

import { flatten, valueText } from "../text";
import type { WholeError } from "../api";
import { rawTrace } from "../trace";
import { stringify, type Fields, type Row } from "../wire";

/** The error as it is stored; how its trace was read is not a part of it. */
export function asJson(row: WholeError | Row): string {
  const { trace: _, ...stored } = row as WholeError;
  return stringify(stored, 2);
}

/** A `curl` command that submits the same fields, safe to paste into a POSIX shell. */
export function asCurl(fields: Fields, submitUrl: string, key: string): string {
  const url = new URL(submitUrl);
  url.searchParams.set("_s", key);
  url.searchParams.set("_r", "json");
  return `curl ${quoted(url.href)} -H 'Content-Type: application/json' -d ${quoted(stringify(fields))}`;
}

/** Single quotes keep everything but a single quote itself. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

export function asMarkdown(row: WholeError | Row, address: string): string {
  const field = "trace" in row && row.trace ? row.trace.field : "";
  const trace = rawTrace(row.fields, field);
  const fields = flatten(row.fields).filter(([name]) => name !== field || trace === "");
  const table = fields.map(([name, value]) => `| ${cell(name)} | ${cell(valueText(value))} |`);
  return [
    `**${escaped(row.type || row.level)}** ${escaped(row.title)}`,
    `${new Date(row.at).toISOString()} · ${escaped(row.where || row.level)} · ${address}`,
    ...(trace ? [`${fence(trace)}\n${trace}\n${fence(trace)}`] : []),
    ["| field | value |", "| --- | --- |", ...table].join("\n"),
  ].join("\n\n");
}

/** A fence longer than any run of backticks within. */
function fence(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((run) => run[0].length));
  return "`".repeat(longest + 1);
}

function cell(text: string): string {
  return escaped(text.slice(0, 500)).replace(/\s+/g, " ");
}

function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]<>|#]/g, "\\$&");
}
