import { afterEach, describe, expect, it } from "vitest";
import { ANY, charted, rangeWords, readStretch, spanOf, stepOf, stretchWords, writeStretch, type Range } from "../src/range";
import { setZone } from "../src/time";

const NOW = Date.UTC(2026, 10, 25, 14, 32, 9, 871);
const MIN = 60_000;
const HOUR = 60 * MIN;
const DAY = 24 * HOUR;
const between = (from: number, to: number | null): Range => ({ kind: "between", from, to });

afterEach(() => setZone("local"));

describe("a range", () => {
  it("is live without an end, and history with one", () => {
    expect(spanOf(ANY, null, NOW)).toEqual({ since: null, until: null });
    expect(spanOf({ kind: "last", ms: HOUR }, null, NOW)).toEqual({ since: NOW - HOUR, until: null });
    expect(spanOf(between(NOW - HOUR, null), null, NOW)).toEqual({ since: NOW - HOUR, until: null });
    expect(spanOf(between(1, 2), null, NOW)).toEqual({ since: 1, until: 2 });
    expect(spanOf({ kind: "last", ms: HOUR }, { from: 5, to: 6 }, NOW)).toEqual({ since: 5, until: 6 });
  });

  it.each([[15 * MIN, 10, 90], [HOUR, 60, 60], [6 * HOUR, 300, 72], [DAY, 900, 96], [7 * DAY, 7_200, 84], [90 * DAY, 86_400, 90], [30_000, 1, 30]])(
    "of %d ms has bars of %d s, %d of them",
    (ms, seconds, bars) => {
      const step = stepOf({ from: NOW - ms, to: NOW });
      expect(step).toBe(seconds * 1_000);
      expect(ms / step).toBe(bars);
    },
  );

  it("never has more than 96 bars", () => {
    for (let ms = 1_000; ms < 92 * DAY; ms *= 1.37) expect(ms / stepOf({ from: 0, to: ms })).toBeLessThanOrEqual(96);
  });

  it("is said in words", () => {
    setZone("utc");
    expect(rangeWords(ANY, NOW)).toBe("Any time");
    expect(rangeWords({ kind: "last", ms: HOUR }, NOW)).toBe("Last hour");
    expect(rangeWords({ kind: "last", ms: 90 * MIN }, NOW)).toBe("Last 90 minutes");
    expect(rangeWords({ kind: "last", ms: 3 * DAY }, NOW)).toBe("Last 3 days");
    expect(rangeWords(between(NOW - DAY, null), NOW)).toBe("Since 24 Nov 14:32:09");
    expect(stretchWords({ from: Date.UTC(2026, 10, 25, 14, 29, 5), to: Date.UTC(2026, 10, 25, 14, 30, 45) }, NOW)).toBe("14:29:05 – 14:30:45");
    expect(stretchWords({ from: Date.UTC(2026, 10, 24, 14), to: Date.UTC(2026, 10, 24, 15) }, NOW)).toBe("24 Nov 14:00 – 15:00");
    expect(stretchWords({ from: Date.UTC(2026, 10, 24, 14), to: Date.UTC(2026, 10, 25, 1) }, NOW)).toBe("24 Nov 14:00 – 01:00");
  });

  it("is charted until now, or as it stands", () => {
    expect(charted(ANY, NOW)).toEqual({ from: NOW - HOUR, to: NOW });
    expect(charted(between(1, 2), NOW)).toEqual({ from: 1, to: 2 });
    expect(charted(between(NOW + 5, null), NOW)).toEqual({ from: NOW + 5, to: NOW + 6 });
  });
});

describe("a marked part", () => {
  it("is written and read the same", () => {
    for (const stretch of [{ from: NOW - 1, to: NOW }, { from: 0, to: 1_000 }]) expect(readStretch(writeStretch(stretch))).toEqual(stretch);
  });
});
