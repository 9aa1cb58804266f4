import { describe, expect, it } from "vitest";
import { grouped, libraries, rawTrace, sourceLines, tokens } from "../src/trace";

const own = (name: string) => ({ app: true, function: name });
const theirs = (name: string, library?: string) => ({ function: name, ...(library ? { library } : {}) });

describe("frames", () => {
  it("of libraries stand together", () => {
    const groups = grouped([own("a"), theirs("b"), theirs("c"), own("d"), own("e")]);
    expect(groups.map((frames) => frames.map((frame) => frame.function).join())).toEqual(["a", "b,c", "d", "e"]);
  });

  it("name their libraries, each once, and a few", () => {
    expect(libraries([theirs("a", "quart"), theirs("b"), theirs("c", "quart"), theirs("d", "asyncpg")])).toBe(" in quart, asyncpg");
    expect(libraries(["a", "b", "c", "d"].map((name) => theirs("f", name)))).toBe(" in a, b, c, …");
    expect(libraries([theirs("a")])).toBe("");
  });

  it("have numbered source lines where the sender gave them", () => {
    const lines = sourceLines({ app: true, line: 12, above: ["one", "two"], source: "three", below: ["four"] });
    expect(lines.map(({ number, text, isHere }) => `${number}${isHere ? ">" : " "}${text}`)).toEqual(["10 one", "11 two", "12>three", "13 four"]);
    expect(sourceLines({ app: true, line: 3 })).toEqual([]);
  });
});

describe("a trace as it was sent", () => {
  it.each([
    [{ stack: "at a (b:1:2)" }, "stack", "at a (b:1:2)"],
    [{ backtrace: ["a.rb:1:in `x'", "b.rb:2:in `y'"] }, "backtrace", "a.rb:1:in `x'\nb.rb:2:in `y'"],
    [{ stack: [{ file: "a" }] }, "stack", '[\n  {\n    "file": "a"\n  }\n]'],
    [{ error: { stack: "t" } }, "error.stack", "t"],
    [{}, "stack", ""],
  ])("of %j in %s is %j", (fields, field, raw) => {
    expect(rawTrace(fields, field)).toBe(raw);
  });
});

describe("a line of code", () => {
  const kinds = (line: string) => tokens(line).filter((piece) => piece.kind).map((piece) => `${piece.kind}:${piece.text}`);

  it.each([
    ["    raise KeyError('sku')  # not there", ["word:raise", "call:KeyError", "string:'sku'", "comment:# not there"]],
    ["const total = cart.total(0x1f); // sum", ["word:const", "call:total", "number:0x1f", "comment:// sum"]],
    ['puts "a #{b} \\" c"', ['string:"a #{b} \\" c"']],
    ["plain words", []],
  ])("%s is coloured", (line, expected) => {
    expect(kinds(line)).toEqual(expected);
  });

  it.each(["", "'", '"\\', "#".repeat(500), "a('b".repeat(300), "`".repeat(501), "\\".repeat(500)])("nothing of %j is lost", (line) => {
    expect(tokens(line).map((piece) => piece.text).join("")).toBe(line);
  });
});
