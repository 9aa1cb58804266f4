import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decode, encode, parseJson, stringify, type ClientMessage, type Json } from "../src/wire";

/** Shared with the server's tests: one sample of every message. */
const SAMPLES = new URL("../../tests/wire/", import.meta.url);
const names = readdirSync(SAMPLES).filter((name) => name.endsWith(".json"));
const sample = (name: string) => readFileSync(new URL(name, SAMPLES), "utf8");

describe("the server's samples", () => {
  it.each(names.filter((name) => name.startsWith("server-")))("%s keeps all it says", (name) => {
    const said = JSON.parse(sample(name)) as Record<string, unknown>;
    const message = decode(sample(name));
    expect(message).toMatchObject(said);
  });

  it("covers every type this page knows", () => {
    const types = names.filter((name) => name.startsWith("server-")).map((name) => decode(sample(name))?.type);
    expect(new Set(types)).toEqual(
      new Set(["hello", "snapshot", "frame", "page", "fill", "presence", "pins", "trap", "traps", "pong", "problem", "bye"]),
    );
  });

  it("fills in what a heartbeat leaves out", () => {
    expect(decode(sample("server-frame-heartbeat.json"))).toMatchObject({
      errors: [], logs: [], issues: [], refused: [], skipped: 0, counts: { total: 0, levels: {}, folded: {} },
    });
  });
});

describe("the page's messages", () => {
  const messages: [string, ClientMessage][] = [
    ["client-start.json", { type: "start", query: "level:error", epoch: 1, limit: 200 }],
    ["client-query.json", JSON.parse(sample("client-query.json")) as ClientMessage],
    ["client-more.json", { type: "more", before: [1731420000123, "6732a1b0c4d5e6f708192a3b"], epoch: 2 }],
    [
      "client-traps.json",
      { type: "traps", traps: [{ id: "t1", query: "level:fatal", since: 1731420000123 }, { id: "t2", query: "_new:issue" }] },
    ],
    ["client-mode.json", { type: "mode", counts_only: true }],
  ];
  it.each(messages)("are like %s", (name, message) => {
    expect(JSON.parse(encode(message))).toEqual(JSON.parse(sample(name)));
  });
});

describe("decode", () => {
  it.each(['{"type":"novelty"}', '{"type":"constructor"}', "null", '"frame"', "7", "{}"])("knows nothing of %s", (text) => {
    expect(decode(text)).toBeNull();
  });

  it("says what is no JSON by raising", () => {
    expect(() => decode("{")).toThrow(SyntaxError);
  });
});

describe("integers", () => {
  const text = '{"a":12345678901234567890,"b":[9007199254740993],"c":1.5e300,"d":"12345678901234567890"}';

  // Where the engine gives no source text (Node 20) a number is what JSON.parse makes of it.
  const isExact = parseJson("[9007199254740993]") instanceof Array && typeof (parseJson("[9007199254740993]") as Json[])[0] === "bigint";

  it.runIf(isExact)("stay exact beyond 2^53", () => {
    expect(parseJson(text)).toEqual({ a: 12345678901234567890n, b: [9007199254740993n], c: 1.5e300, d: "12345678901234567890" });
  });

  it("are written as the digits they are", () => {
    const written = stringify({ a: 12345678901234567890n });
    expect(written.replaceAll('"', "")).toBe("{a:12345678901234567890}");
  });
});
