import { describe, expect, it } from "vitest";
import { exportUrl } from "../src/export";

const asked = (url: string) => Object.fromEntries(new URL(url, "http://here").searchParams);

describe("a download's address", () => {
  it("asks for the view in hand", () => {
    const url = exportUrl("/api/v1/stacks/shop", "csv", { query: "level:error a&b", since: 5.4, until: 9 }, ["user.id", "a,b"]);
    expect(url.startsWith("/api/v1/stacks/shop/export?")).toBe(true);
    expect(asked(url)).toEqual({ format: "csv", query: "level:error a&b", since: "5", until: "9", columns: "at,level,title,user.id" });
  });

  it("leaves out what is not limited", () => {
    expect(asked(exportUrl("/v/1/api", "ndjson", { query: "", since: null, until: null }))).toEqual({ format: "ndjson" });
  });
});
