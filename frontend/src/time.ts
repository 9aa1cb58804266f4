/** Moments as people read them, in their own time zone or in UTC. */

export { ago } from "./ago";

export type Zone = "local" | "utc";

const DAY_MS = 86_400_000;
const two = (value: number) => String(value).padStart(2, "0");
let zone: Zone = "local";

/** Show all times in this zone from now on. */
export function setZone(next: Zone): void {
  zone = next;
}

/** A date whose UTC parts are those of the zone shown. */
export function shown(at: number): Date {
  return new Date(zone === "utc" ? at : at - new Date(at).getTimezoneOffset() * 60_000);
}

/** What `shown` was made of. */
export function fromShown(at: number): number {
  return zone === "utc" ? at : at + new Date(at + new Date(at).getTimezoneOffset() * 60_000).getTimezoneOffset() * 60_000;
}

/** `14:32:09` */
export function clock(at: number): string {
  const time = shown(at);
  return `${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())}`;
}

/** `.871` */
export function fraction(at: number): string {
  return `.${String(Math.floor(((at % 1000) + 1000) % 1000)).padStart(3, "0")}`;
}

/** The day in front of the clock when it is not today's: `23 Nov`. */
export function day(at: number, now: number): string {
  const then = shown(at);
  if (Math.floor(then.getTime() / DAY_MS) === Math.floor(shown(now).getTime() / DAY_MS)) return "";
  const year = Math.abs(now - at) > 300 * DAY_MS ? ` ${then.getUTCFullYear()}` : "";
  return `${then.getUTCDate()} ${then.toLocaleString("en", { month: "short", timeZone: "UTC" })}${year}`;
}

/** The moment in full, for a title: `25 Nov 2026, 14:32:09.871 UTC`. */
export function exact(at: number): string {
  const then = shown(at);
  const date = `${then.getUTCDate()} ${then.toLocaleString("en", { month: "short", timeZone: "UTC" })} ${then.getUTCFullYear()}`;
  return `${date}, ${clock(at)}${fraction(at)}${zone === "utc" ? " UTC" : ""}`;
}
