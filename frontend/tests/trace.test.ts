import { describe, expect, it } from "vitest";
import { grouped, parseTrace, traceOf } from "../src/trace";

const places = (raw: string) => parseTrace(raw).frames.map((frame) => `${frame.name}|${frame.file}|${frame.line}`);

const PYTHON = `Traceback (most recent call last):
  File "/srv/shop/api.py", line 58, in confirm
    order = await place_order(cart)
            ^^^^^^^^^^^^^^^^^^^^^^^
  File "/srv/venv/lib/python3.12/site-packages/asyncpg/pool.py", line 9, in fetch
    return await self._execute()
ValueError: no such order`;

describe("frames", () => {
  it.each([
    ["V8", "TypeError: x\n    at pay (https://shop.test/app.js:3:14)\n    at https://shop.test/app.js:9:1", ["pay|https://shop.test/app.js|3:14", "|https://shop.test/app.js|9:1"]],
    ["Gecko", "pay@https://shop.test/app.js:3:14\n@https://shop.test/app.js:9:1", ["pay|https://shop.test/app.js|3:14", "|https://shop.test/app.js|9:1"]],
    ["Java", "java.lang.NullPointerException\n\tat com.acme.Shop.pay(Shop.java:31)\n\tat com.acme.Main.main(Main.java)", ["com.acme.Shop.pay|Shop.java|31", "com.acme.Main.main|Main.java|"]],
    ["C#", "   at Acme.Shop.Pay(String x) in C:\\src\\Shop.cs:line 31\n   at Acme.Main.Run()", ["Acme.Shop.Pay(String x)|C:\\src\\Shop.cs|31", "Acme.Main.Run()||"]],
    ["PHP", "#0 /srv/shop/pay.php(31): Shop->pay('x')\n#1 {main}", ["Shop->pay('x')|/srv/shop/pay.php|31", "{main}||"]],
    ["Ruby", "/srv/shop/pay.rb:31:in `pay'\n\tfrom /srv/shop/main.rb:2:in `<main>'", ["pay|/srv/shop/pay.rb|31", "<main>|/srv/shop/main.rb|2"]],
    ["Ruby, joined by commas", "/srv/pay.rb:31:in `pay',/srv/main.rb:2:in `<main>'", ["pay|/srv/pay.rb|31", "<main>|/srv/main.rb|2"]],
    ["Python, most recent last", PYTHON, ["fetch|/srv/venv/lib/python3.12/site-packages/asyncpg/pool.py|9", "confirm|/srv/shop/api.py|58"]],
  ])("of %s", (_language, raw, expected) => {
    expect(places(raw)).toEqual(expected);
  });

  it("carry the line of code where the sender gave it", () => {
    const trace = parseTrace(PYTHON);
    expect(trace.frames.map((frame) => frame.source)).toEqual(["return await self._execute()", "order = await place_order(cart)"]);
    expect(trace.words).toEqual(["ValueError: no such order"]);
  });

  it("of libraries stand together", () => {
    const trace = parseTrace("at a (/srv/a.js:1:1)\n at b (/srv/node_modules/x/b.js:1:1)\n at c (node:internal/c:1:1)\n at d (/srv/d.js:1:1)");
    expect(grouped(trace.frames).map((frames) => frames.map((frame) => frame.name).join())).toEqual(["a", "b,c", "d"]);
  });

  it.each(["", "nothing here", "at ", "\n\n", "(((((", "#0", 'File "', "at (at (at (:1"])("there are none in %j", (raw) => {
    expect(parseTrace(raw).frames).toEqual([]);
  });

  it("are read in linear time from hostile text", () => {
    const started = performance.now();
    for (const unit of ["at (", "a@", ":1", "#0 (1): ", 'File "', " ("]) {
      parseTrace(Array.from({ length: 600 }, () => `    at ${unit.repeat(2_000)}`).join("\n"));
    }
    expect(performance.now() - started).toBeLessThan(4_000);
  });
});

describe("a trace among fields", () => {
  it.each([
    [{ stack: "at a (b:1:2)" }, "at a (b:1:2)"],
    [{ backtrace: ["a.rb:1:in `x'", "b.rb:2:in `y'"] }, "a.rb:1:in `x'\nb.rb:2:in `y'"],
    [{ stack: "", trace: "t" }, "t"],
    [{ stack: 7 }, undefined],
    [{}, undefined],
  ])("of %j is %j", (fields, raw) => {
    expect(traceOf(fields)?.raw).toBe(raw);
  });
});
