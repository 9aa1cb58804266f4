import { describe, expect, it } from "vitest";
import { MAX_SUGGESTIONS, suggest, taken, type KnownField } from "../src/complete";
import { spans } from "../src/query";

const field = (name: string, rows: number, ...values: string[]): KnownField => ({ name, rows, values: values.map((value, index) => ({ value, count: values.length - index })) });
const KNOWN = [
  field("service", 50, "checkout", "payments", "web front"),
  field("release", 40, "2.4.0", "2.4.1"),
  field("user.plan", 30, "pro", "free"),
  field("odd name", 5, 'say "hi"', "a,b", "1..2", "<b>"),
  field("level", 60, "error", "info"),
  field("title", 9, "the sender's own"),
];
const texts = (query: string, caret = query.length) => suggest(query, caret, KNOWN).map((each) => each.text);

describe("suggestions", () => {
  it.each([
    ["ser", ["service:", "user.plan:"]],
    ["level:error rel", ["release:"]],
    ["-rel", ["release:"]],
    ["(rel", ["release:"]],
    ["service:pay", ["payments"]],
    ["service:checkout,p", ["payments"]],
    ["-service:w", ['"web front"']],
    ['service:"web', ['"web front"']],
    ['"odd name":s', ['"say \\"hi\\""']],
    ["odd", ['"odd name":']],
    ["level:f", ["fatal", "info"]],
    ["fields.title:", ['"the sender\'s own"', "*"]],
    ["user.plan:", ["pro", "free", "*"]],
    ["nothing:", ["*"]],
    ["service:checkout", []],
    ["nowhere", []],
  ])("for %s", (query, found) => {
    expect(texts(query)).toEqual(found);
  });

  it("find values by a bare word", () => {
    expect(texts("chec")).toEqual(["service:checkout"]);
  });

  it("name the fields seen most, first, and what every error has", () => {
    const all = texts("");
    expect(all.slice(0, 3)).toEqual(["level:", "service:", "release:"]);
    expect(all.length).toBe(MAX_SUGGESTIONS);
    expect(texts("tit")).toEqual(["title:", "fields.title:"]);
  });

  it("are taken where the caret is, and leave the rest", () => {
    const query = "ser timeout";
    const [first] = suggest(query, 3, KNOWN);
    expect(taken(query, first!)).toEqual({ text: "service: timeout", caret: 8 });
    const [value] = suggest("release:2.4.1x level:error", 12, KNOWN);
    expect(taken("release:2.4.1x level:error", value!)).toEqual({ text: "release:2.4.0 level:error", caret: 13 });
    const [last] = suggest("release:", 8, KNOWN);
    expect(taken("release:", last!)).toEqual({ text: "release:2.4.0 ", caret: 14 });
  });

  it("are always something the language reads, whatever was sent", () => {
    const nasty = ["", " ", '"', "\\", 'a"b', "a:b", "(", ")", "-x", "AND", "*", "a*b", "1..2", ">5", "//x", "x,y", "\u202e", "__proto__", "üñí"];
    const known = nasty.filter(Boolean).map((name) => field(name, 3, ...nasty.filter(Boolean)));
    for (const name of nasty.filter(Boolean)) {
      for (const { text } of suggest("", 0, [field(name, 3, ...nasty)])) expect(spans(`${text}x`).wrong, text).toBeNull();
    }
    for (const value of nasty.filter(Boolean)) {
      const [only] = suggest("f:", 2, [field("f", 1, value)]);
      expect(spans(`f:${only!.text}`).wrong, value).toBeNull();
    }
    expect(() => nasty.forEach((typed) => suggest(typed, typed.length, known))).not.toThrow();
  });
});
