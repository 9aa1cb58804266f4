/** The parts of an issue's own page that live. */

import { badge, users } from "../issues";
import type { Part } from "../issue-api";
import { by } from "../markers";
import { ago, count, plain, plural } from "../text";
import { clock, exact, fraction } from "../time";
import type { Issue, Marker, Minute, Row } from "../wire";
import { totalOf } from "../counters";
import { headline } from "./row";
import { Text } from "./value";

export function Lamp({ isLive }: { isLive: boolean }) {
  return (
    <>
      <span class={`dot ${isLive ? "pulse" : ""}`} />
      {isLive ? "live" : "reconnecting"}
    </>
  );
}

export function State({ issue, now }: { issue: Issue; now: number }) {
  const said = badge(issue, now);
  return said && <span class={`tag ${said.kind === "new" ? "" : said.kind}`}>{said.text}</span>;
}

export function FactList({ issue, now }: { issue: Issue; now: number }) {
  const facts: [string, string, string][] = [
    ["Seen", plural(issue.count, "time"), ""],
    ["Users", users(issue) || "not told", ""],
    ["Last seen", ago(issue.last_seen_at, now), exact(issue.last_seen_at)],
    ["First seen", ago(issue.first_seen_at, now), exact(issue.first_seen_at)],
  ];
  return (
    <>
      {facts.map(([name, said, title]) => (
        <div key={name} title={title}>
          <small>{name}</small>
          {said}
        </div>
      ))}
    </>
  );
}

/** Columns over time, with lines for markers. */
export function Trend({ bars, markers, label }: { bars: readonly Minute[]; markers: readonly Marker[]; label: string }) {
  const highest = Math.max(1, ...bars.map(([, levels]) => totalOf(levels)));
  const width = 100 / bars.length;
  const from = bars[0]?.[0] ?? 0;
  const step = bars.length > 1 ? bars[1]![0] - from : 1;
  return (
    <svg class="trend" viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label={label}>
      {bars.map(([at, levels], place) => {
        const total = totalOf(levels);
        const height = Math.max(3, (total / highest) * 100);
        return (
          total > 0 && (
            <rect key={at} x={place * width} y={100 - height} width={width * 0.8} height={height}>
              <title>{`${count(total)}, ${exact(at)}`}</title>
            </rect>
          )
        );
      })}
      {markers.map((marker) => {
        const x = ((marker.at - from) / (step * bars.length)) * 100;
        return (
          <line key={marker.id} class="marker" x1={x} x2={x} y1={0} y2={100}>
            <title>{`${plain(marker.text)} · ${by(marker)}`}</title>
          </line>
        );
      })}
    </svg>
  );
}

export function Newest({ rows, page }: { rows: readonly Row[]; page: string }) {
  return (
    <>
      {rows.map((row) => {
        const { type, title } = headline(row);
        return (
          <div class={`row l-${row.level}`} role="row" key={row.id}>
            <time class="tm" role="gridcell" title={exact(row.at)}>
              {clock(row.at)}
              <s>{fraction(row.at)}</s>
            </time>
            <span class="lv" role="gridcell">
              {row.level}
            </span>
            <span class="ms" role="gridcell">
              <a href={`${page}/e/${row.id}`}>
                {type && (
                  <b class="u" dir="auto">
                    <Text text={type} />{" "}
                  </b>
                )}
                <em class="u" dir="auto">
                  <Text text={title} />
                </em>{" "}
                <u class="u" dir="auto">
                  <Text text={row.where} />
                </u>
              </a>
            </span>
          </div>
        );
      })}
    </>
  );
}

export function Breakdown({ parts, looked, link }: { parts: readonly Part[]; looked: number; link: (name: string, value: string) => string }) {
  if (parts.length === 0) return <p>Its errors have no field of which several have the same value.</p>;
  return (
    <>
      {parts.map(({ name, values, others, missing }) => (
        <div class="part" key={name}>
          <h3 class="u" dir="auto">
            <Text text={name} />
          </h3>
          {values.map(([value, found]) => (
            <a class="bit" key={value} href={link(name, value)}>
              <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
                <rect width={((found / Math.max(1, looked)) * 100).toFixed(1)} height="1" />
              </svg>
              <span class="u" dir="auto">
                <Text text={value} />
              </span>
              <b>{count(found)}</b>
            </a>
          ))}
          {others > 0 && <p class="dim">{count(others)} with other values</p>}
          {missing > 0 && <p class="dim">{count(missing)} without</p>}
        </div>
      ))}
    </>
  );
}
