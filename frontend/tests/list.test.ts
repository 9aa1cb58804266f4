// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { ErrorItem, Item } from "../src/item";
import { List, type ListEvents } from "../src/ui/list";
import { headline, type Look } from "../src/ui/row";
import type { Row } from "../src/wire";

const HEIGHT = 300;
const LOOK: Look = { columns: [], words: [], selected: null, glow: false, now: 0, tellsAge: false, zone: "local" };

function error(key: number, more: Partial<Row> = {}): ErrorItem {
  const row: Row = {
    id: `id-${key}`, at: 1_731_420_000_000 + key, issue: "i", level: "error", type: "TypeError",
    title: `title ${key}`, where: "app.js:1", fields: { service: "web" }, ...more,
  };
  return { kind: "error", key, row, folded: [], unsent: 0, bytes: 1, newestMs: 0, firstMs: 0 };
}

let scroller: HTMLElement;
let events: ListEvents;
let list: List;

const rows = () => [...scroller.querySelectorAll<HTMLElement>(".row")].filter((row) => !row.hidden);
const byPlace = () => rows().sort((a, b) => Number(a.ariaRowIndex) - Number(b.ariaRowIndex));
const titles = () => byPlace().map((row) => row.querySelector(".ms em")?.textContent ?? row.textContent);

beforeEach(() => {
  document.body.innerHTML = '<div class="grid"><div class="rows tall"></div></div>';
  scroller = document.querySelector<HTMLElement>(".grid")!;
  Object.defineProperty(scroller, "clientHeight", { value: HEIGHT });
  events = { open: vi.fn(), gap: vi.fn(), scrolled: vi.fn(), reachedEnd: vi.fn() };
  list = new List(scroller, scroller.querySelector<HTMLElement>(".tall")!, events);
});

describe("the list", () => {
  it("draws a window of rows, newest on top", () => {
    list.draw(Array.from({ length: 10_000 }, (_, n) => error(n)), LOOK);
    expect(rows().length).toBeLessThan(20);
    expect(titles()[0]).toBe("title 9999");
    expect(scroller.querySelector<HTMLElement>(".tall")!.style.height).toBe("300000px");
  });

  it("keeps a row's element with its item and recycles the rest", () => {
    const items = Array.from({ length: 50 }, (_, n) => error(n));
    list.draw(items, LOOK);
    const element = byPlace()[0];
    const elements = new Set(rows());
    list.draw([...items, error(50), error(51)], LOOK);
    expect(byPlace()[2]).toBe(element);
    expect(rows().every((row) => elements.has(row))).toBe(true);
    expect(titles().slice(0, 3)).toEqual(["title 51", "title 50", "title 49"]);
  });

  it("writes a row anew when it changes", () => {
    const items = [error(1), error(2)];
    list.draw(items, LOOK);
    items[0]!.row = { ...items[0]!.row, title: "changed" };
    items[1]!.unsent = 4_212;
    list.draw(items, { ...LOOK, selected: "id-1" });
    expect(titles()).toEqual(["title 2", "changed"]);
    expect(byPlace()[0]!.querySelector(".x")!.textContent).toBe("×4,213");
    expect(byPlace()[1]!.className).toContain("sel");
  });

  it("places every row again when the height of a row changes", () => {
    list.draw(Array.from({ length: 50 }, (_, n) => error(n)), LOOK);
    const before = rows().length;
    scroller.querySelector<HTMLElement>(".tall")!.style.setProperty("--row-px", "58");
    list.redraw();
    expect(byPlace().map((row) => row.style.transform)).toEqual(rows().map((_, n) => `translateY(${n * 58}px)`));
    expect(rows().length).toBeLessThan(before);
  });

  it("hides what the list no longer holds", () => {
    list.draw(Array.from({ length: 50 }, (_, n) => error(n)), LOOK);
    list.draw([error(99)], LOOK);
    expect(titles()).toEqual(["title 99"]);
  });

  it("shows columns, and marks searched words", () => {
    list.draw([error(1)], { ...LOOK, columns: ["service", "user.id"], words: ["title"] });
    expect([...byPlace()[0]!.querySelectorAll(".cl")].map((cell) => cell.textContent)).toEqual(["web", "–"]);
    expect(byPlace()[0]!.querySelector("mark")!.textContent).toBe("title");
  });

  it("tells of gaps and refusals, and lets a gap be loaded", () => {
    const gap: Item = { kind: "gap", key: 2, from: "a", to: "b", count: 37, state: "open" };
    const refused: Item = { kind: "refused", key: 3, reason: "rate-limited", count: 977, at: 0 };
    list.draw([gap, refused], LOOK);
    expect(titles()[0]).toBe("977 submissions refused: rate limited");
    expect(titles()[1]).toContain("37 errors missed here");
    scroller.querySelector("button")!.click();
    expect(events.gap).toHaveBeenCalledWith(gap);
  });

  it("opens what is clicked", () => {
    const item = error(1);
    list.draw([item], LOOK);
    byPlace()[0]!.querySelector<HTMLElement>("em")!.click();
    expect(events.open).toHaveBeenCalledWith(item);
  });

  it("asks for more at its end", () => {
    list.draw([error(1)], LOOK);
    expect(events.reachedEnd).toHaveBeenCalled();
  });

  it("turns nothing that a sender wrote into markup", () => {
    const evil = '<img src=x onerror="alert(1)"><script>alert(2)</script>\u202e';
    list.draw([error(1, { type: evil, title: evil, where: evil, fields: { [evil]: evil, service: evil } })], { ...LOOK, columns: ["service"], words: ["<img"] });
    expect(scroller.querySelectorAll("img, script, a")).toHaveLength(0);
    expect(byPlace()[0]!.textContent).toContain("<img src=x");
    expect(byPlace()[0]!.textContent).not.toContain("\u202e");
  });
});

describe("a headline", () => {
  it.each([
    ["TypeError", "Uncaught TypeError: x is undefined", "TypeError", "x is undefined"],
    ["TypeError", "TypeError", "TypeError", ""],
    ["shop.pay", "card declined", "shop.pay", "card declined"],
    ["", "node died\nbadly", "", "node died ⏎ badly"],
  ])("of %j and %j says the type once", (type, title, shownType, shownTitle) => {
    expect(headline({ type, title })).toEqual({ type: shownType, title: shownTitle });
  });
});
