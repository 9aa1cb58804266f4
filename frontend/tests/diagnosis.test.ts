import { describe, expect, it } from "vitest";
import { whyNotStored, whyNotStreamed, type Outcome, type Try } from "../src/diagnosis";
import { storeMs } from "../src/trip";

const TRIED: Try = { page: "https://e.example/s/a/setup", submit: "https://e.example/submit", alias: "", isAnswering: true };
const answer = (change: object): Outcome => ({ kind: "answer", status: 200, success: false, message: "", retryAfterS: 0, ...change });

const CASES: readonly [string, Outcome, Partial<Try>, RegExp][] = [
  ["stored", answer({ success: true }), {}, /^$/],
  ["an unknown key", answer({ message: "Unknown stack key" }), {}, /unknown or was revoked/],
  ["too fast", answer({ status: 429, message: "This stack key sends too fast", retryAfterS: 3 }), {}, /too fast\. Try again in 3 s.*Settings/],
  ["no database", answer({ status: 503, message: "The database does not answer" }), {}, /does not answer.*try again/],
  ["no space", answer({ status: 503, message: "The database's disk is nearly full" }), {}, /disk is nearly full/],
  ["another program", answer({ status: 404 }), {}, /is not ErrorStack \(404\)/],
  ["too large", answer({ status: 413, message: "At most 8 MB" }), {}, /At most 8 MB \(413\)/],
  ["a redirect", { kind: "redirect" }, {}, /redirect.*PUBLIC_URL/],
  ["no answer", { kind: "timeout" }, {}, /No answer/],
  ["mixed content", { kind: "failed" }, { submit: "http://e.example/submit" }, /mixed content/],
  ["a server that is gone", { kind: "failed" }, { isAnswering: false }, /does not answer any more/],
  ["another address", { kind: "failed" }, { submit: "https://in.example/submit" }, /in\.example is not, or its certificate.*PUBLIC_URL/],
  ["an ad blocker", { kind: "failed" }, {}, /blocks \/submit.*INGEST_ALIAS/],
  ["an ad blocker and an alias", { kind: "failed" }, { alias: "/x" }, /send to \/x\/submit/],
];

describe("what is wrong", () => {
  it.each(CASES)("%s", (_, outcome, change, says) => {
    expect(whyNotStored(outcome, { ...TRIED, ...change })).toMatch(says);
  });

  it("tells a closed socket from a late feed", () => {
    expect(whyNotStreamed(false)).toMatch(/Upgrade/);
    expect(whyNotStreamed(true)).toMatch(/status page/);
  });
});

describe("the time that storing took", () => {
  it.each([["store;dur=4.2", 4.2], ["cdn;dur=1, store;dur=12", 12], ["restore;dur=4", null], [null, null], ["", null]])("%s", (timing, ms) => {
    expect(storeMs(timing)).toBe(ms);
  });
});
