/**
 * The wallboard: the view on a screen that a room reads. Big, without controls, and by itself for
 * ever: it keeps the screen awake, and comes back when it may look again.
 */

import "../styles/wall.css";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { newest, top, topOfRows } from "../board";
import { sum, totalOf } from "../counters";
import { ago, count, oneLine, perSecond, plural, short } from "../text";
import { clock } from "../time";
import { LEVELS, type Minute } from "../wire";
import { headline } from "./row";
import type { Live } from "./live";
import { lamp } from "./status";
import { Text } from "./value";

const TOP = 6;
const NEWEST = 9;
const MARKERS = 3;
const HOUR_MS = 3_600_000;
/** Issues are counted anew so often. */
const COUNTED_EVERY_MS = 15_000;
const ASKED_ISSUES = 50;
/** A board that is signed out looks whether it may come back. */
const RETRY_MS = 30_000;

export function Wall({ live }: { live: Live }) {
  useEffect(() => awake(), []);
  useEffect(() => comeBack(live), [live]);
  live.painted.value;
  live.second.value;
  const now = live.feed.serverNow();
  const bars = live.feed.bins.bars({ from: now - HOUR_MS, to: now });
  return (
    <main class="board" id="main" onDblClick={() => live.toggleWall()}>
      <Head live={live} now={now} />
      <section class="rate" aria-label="Just now">
        <b class={live.feed.isStorm ? "storm" : ""}>{perSecond(live.feed.rate.perSecond(Date.now()))}</b>
        <span>errors/s</span>
      </section>
      <Levels bars={bars} />
      <Hour bars={bars} />
      <TopIssues live={live} />
      <Newest live={live} />
      <Foot live={live} now={now} />
    </main>
  );
}

function Head({ live, now }: { live: Live; now: number }) {
  const { className, text } = lamp(live);
  return (
    <header>
      <h1 class="u" dir="auto">
        <Text text={live.boot.share?.name || live.boot.stack.name} />
      </h1>
      {live.query.value && (
        <code class="u" dir="auto">
          <Text text={live.query.value} />
        </code>
      )}
      <span class={`lamp ${className}`} role="status">
        <span class={`dot ${className === "ok" ? "pulse" : ""}`} />
        {className === "ok" ? "Live" : text}
      </span>
      <time>{clock(now)}</time>
    </header>
  );
}

function Levels({ bars }: { bars: Minute[] }) {
  const levels = sum(bars);
  return (
    <section class="levels" aria-label="In the last hour, by level">
      {LEVELS.map((level) => (
        <div class={`l-${level} ${levels[level] ? "" : "none"}`} key={level}>
          <b>{short(levels[level] ?? 0)}</b>
          <span>{level}</span>
        </div>
      ))}
    </section>
  );
}

/** The last hour as bars; severe ones from the ground up. */
function Hour({ bars }: { bars: Minute[] }) {
  const most = Math.max(1, ...bars.map(([, levels]) => totalOf(levels)));
  return (
    <section class="hour" aria-label={`${plural(totalOf(sum(bars)), "error")} in the last hour`}>
      <svg viewBox={`0 0 ${bars.length * 10} 100`} preserveAspectRatio="none" aria-hidden="true">
        {bars.map(([at, levels], index) => {
          const severe = (levels.fatal ?? 0) + (levels.error ?? 0);
          const tall = (value: number) => (value / most) * 100;
          const all = tall(totalOf(levels));
          return (
            <g key={at}>
              <rect x={index * 10} width={8} y={100 - all} height={all} class="o" />
              <rect x={index * 10} width={8} y={100 - tall(severe)} height={tall(severe)} class="e" />
            </g>
          );
        })}
      </svg>
      <span>
        {count(totalOf(sum(bars)))} in the last hour
      </span>
    </section>
  );
}

function TopIssues({ live }: { live: Live }) {
  const trends = useSignal<Record<string, number[]>>({});
  const isReady = live.feed.issues.size > 0;
  useEffect(() => {
    const ask = async () => {
      const latest = [...live.feed.issues.values()].sort((a, b) => b.last_seen_at - a.last_seen_at).slice(0, ASKED_ISSUES);
      if (latest.length === 0) return;
      try {
        const ids = latest.map(({ id }) => id).join(",");
        trends.value = (await live.api.ask<{ trends: Record<string, number[]> }>(`/trends?issues=${ids}`)).trends;
      } catch {
        // the next time
      }
    };
    if (isReady) void ask();
    const timer = setInterval(() => void ask(), COUNTED_EVERY_MS);
    return () => clearInterval(timer);
  }, [live, isReady]);
  const isWhole = isReady && live.query.value === "";
  const since = live.feed.serverNow() - HOUR_MS;
  const found = isWhole ? top(live.feed.issues.values(), trends.value, TOP) : topOfRows(live.feed.rows.items, since, TOP);
  if (found.length === 0) return null;
  return (
    <section class="most" aria-label="Most in the last hour">
      <h2>{isWhole ? "Most in the last hour" : "Most of the newest"}</h2>
      {found.map(({ issue, count: times }) => (
        <Line key={issue.id} of={issue} left={short(times)} />
      ))}
    </section>
  );
}

function Newest({ live }: { live: Live }) {
  const found = newest(live.feed.rows.items, NEWEST);
  return (
    <section class="newest" aria-label="Newest">
      <h2>Newest</h2>
      {found.map(({ row, count: times }) => (
        <Line key={row.id} of={row} left={clock(row.at)} times={times} />
      ))}
      {found.length === 0 && <p>Nothing has arrived yet.</p>}
    </section>
  );
}

function Line({ of, left, times = 1 }: { of: { type: string; title: string; level: string; new?: string[] }; left: string; times?: number }) {
  const { type, title } = headline(of);
  return (
    <div class={`line l-${of.level}`}>
      <span class="n">{left}</span>
      <span class="u" dir="auto">
        {of.new && <i>new</i>}
        {times > 1 && <i>×{short(times)}</i>}
        {type && (
          <b>
            <Text text={type} />{" "}
          </b>
        )}
        <Text text={oneLine(title)} />
      </span>
    </div>
  );
}

/** What members say: pins and the last markers. */
function Foot({ live, now }: { live: Live; now: number }) {
  const { pins, markers } = live.feed;
  const last = markers.all.slice(0, MARKERS);
  if (pins.length + last.length === 0) return null;
  return (
    <footer>
      {pins.slice(0, 2).map(({ error, note }) => (
        <span class={`pinned l-${error.level} u`} dir="auto" key={error.id}>
          <b>
            <Text text={oneLine(error.title)} />
          </b>{" "}
          <Text text={note} />
        </span>
      ))}
      {last.map(({ id, at, text }) => (
        <span class="marked u" dir="auto" key={id}>
          <Text text={text} /> <time>{ago(at, now)}</time>
        </span>
      ))}
    </footer>
  );
}

/** Keep the screen on, as long as it is seen; not every browser can. */
function awake(): () => void {
  let lock: WakeLockSentinel | null = null;
  const ask = async () => {
    if (document.hidden || !("wakeLock" in navigator)) return;
    lock = await navigator.wakeLock.request("screen").catch(() => null);
  };
  void ask();
  document.addEventListener("visibilitychange", ask);
  return () => {
    document.removeEventListener("visibilitychange", ask);
    void lock?.release();
  };
}

/** Where the stream has ended for good, look now and again whether it has not. */
function comeBack(live: Live): () => void {
  const timer = setInterval(() => {
    if (live.link.value.phase !== "ended") return;
    live.api.errors({ limit: "1" }).then(
      () => location.reload(),
      () => {},
    );
  }, RETRY_MS);
  return () => clearInterval(timer);
}
