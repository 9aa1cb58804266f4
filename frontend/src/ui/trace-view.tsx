/** A stack trace: the program's own frames open, library frames folded, the raw text at hand. */

import { useSignal } from "@preact/signals";
import { grouped, type Trace, type TraceFrame } from "../trace";
import { plural } from "../text";
import { Icon } from "./icons";
import { LongText, Text } from "./value";

export function TraceView({ trace }: { trace: Trace }) {
  const isRaw = useSignal(trace.frames.length === 0);
  return (
    <>
      <div class="h2">
        {isRaw.value ? "As sent" : "Most recent call first"}
        {trace.frames.length > 0 && (
          <button onClick={() => (isRaw.value = !isRaw.value)}>{isRaw.value ? "Frames" : "Raw"}</button>
        )}
      </div>
      {isRaw.value ? (
        <pre class="raw u" dir="ltr">
          <LongText text={trace.raw} />
        </pre>
      ) : (
        grouped(trace.frames).map((frames, index) =>
          frames[0]!.isLibrary ? <Library key={index} frames={frames} /> : <Frame key={index} frame={frames[0]!} />,
        )
      )}
    </>
  );
}

function Frame({ frame }: { frame: TraceFrame }) {
  return (
    <div class={`fr ${frame.isLibrary ? "" : "own"}`}>
      <div class="fl">
        <span class="u" dir="ltr">
          <b>
            <Text text={frame.name || "(anonymous)"} />
          </b>{" "}
          <Text text={frame.file} />
        </span>
        <span class="ln">{frame.line}</span>
        {!frame.isLibrary && <span class="tag">app</span>}
      </div>
      {frame.source && (
        <pre class="src u" dir="ltr">
          <Text text={frame.source} />
        </pre>
      )}
    </div>
  );
}

function Library({ frames }: { frames: TraceFrame[] }) {
  return (
    <details class="lib">
      <summary>
        <Icon name="right" />
        {plural(frames.length, "library frame")}
      </summary>
      {frames.map((frame, index) => (
        <Frame key={index} frame={frame} />
      ))}
    </details>
  );
}
