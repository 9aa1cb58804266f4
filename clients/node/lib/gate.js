"use strict";
/** Lets in so many a minute, and the same thing once within a while. */

class Gate {
  constructor(perMinute, dedupeMs) {
    this.perMinute = perMinute;
    this.dedupeMs = dedupeMs;
    this.minuteAt = 0;
    this.count = 0;
    this.seen = new Map();
  }

  /** Why this may not go: "repeat", "limit", or "" when it may. `now`: milliseconds of any clock. */
  refusal(sameness, now) {
    if (now - this.minuteAt >= 60_000) {
      this.minuteAt = now;
      this.count = 0;
    }
    for (const [text, at] of this.seen) {
      if (now - at < this.dedupeMs) break; // in the order they came
      this.seen.delete(text);
    }
    if (this.dedupeMs && this.seen.has(sameness)) return "repeat";
    if (this.count >= this.perMinute) return "limit";
    this.count += 1;
    if (this.dedupeMs) this.seen.set(sameness, now);
    return "";
  }
}

module.exports = { Gate };
