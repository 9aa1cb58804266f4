/** A stack trace: the program's own frames open, library frames folded, the raw text at hand. */

import { useSignal } from "@preact/signals";
import { grouped, libraries, sourceLines, tokens } from "../trace";
import { plural } from "../text";
import type { TraceFrame } from "../wire";
import { Icon } from "./icons";
import { LongText, Text } from "./value";

export function TraceView({ frames, raw }: { frames: readonly TraceFrame[]; raw: string }) {
  const isRaw = useSignal(frames.length === 0);
  const isOwnOnly = useSignal(false);
  const own = frames.filter((frame) => frame.app);
  const shown = isOwnOnly.value ? own : frames;
  return (
    <>
      <div class="h2">
        {isRaw.value ? "As sent" : "Most recent call first"}
        <span class="grow" />
        {!isRaw.value && own.length > 0 && own.length < frames.length && (
          <button aria-pressed={isOwnOnly.value} onClick={() => (isOwnOnly.value = !isOwnOnly.value)}>
            {isOwnOnly.value ? "All frames" : "App frames only"}
          </button>
        )}
        {frames.length > 0 && (
          <button aria-pressed={isRaw.value} onClick={() => (isRaw.value = !isRaw.value)}>
            {isRaw.value ? "Frames" : "Raw"}
          </button>
        )}
      </div>
      {isRaw.value ? (
        <pre class="raw u" dir="ltr" tabIndex={0}>
          <LongText text={raw} />
        </pre>
      ) : (
        grouped(shown).map((group, index) =>
          group[0]!.app ? <Frame key={index} frame={group[0]!} isOpen={index === 0 || group[0] === own[0]} /> : <Library key={index} frames={group} />,
        )
      )}
    </>
  );
}

function Frame({ frame, isOpen }: { frame: TraceFrame; isOpen: boolean }) {
  const lines = sourceLines(frame);
  const look = `fr ${frame.app ? "own" : ""}`;
  if (lines.length === 0) {
    return (
      <div class={look}>
        <Call frame={frame} />
      </div>
    );
  }
  return (
    <details class={look} open={isOpen || lines.length === 1}>
      <summary>
        <Call frame={frame} canOpen />
      </summary>
      <pre class="src u" dir="ltr" tabIndex={0}>
        {lines.map(({ number, text, isHere }) => (
          <code key={number} class={isHere ? "here" : ""}>
            {lines.length > 1 && <i>{number > 0 ? number : ""}</i>}
            {tokens(lines.length > 1 ? text : text.trim()).map((piece) => (
              <span class={piece.kind && `c-${piece.kind}`}>
                <Text text={piece.text} />
              </span>
            ))}
            {"\n"}
          </code>
        ))}
      </pre>
    </details>
  );
}

function Call({ frame, canOpen }: { frame: TraceFrame; canOpen?: boolean }) {
  const { line, column } = frame;
  return (
    <span class="fl">
      {canOpen && <Icon name="right" />}
      <span class="u" dir="ltr">
        <b>
          <Text text={frame.function ?? "(anonymous)"} />
        </b>{" "}
        <Text text={frame.file ?? ""} />
      </span>
      {line !== undefined && <span class="ln">{column === undefined ? line : `${line}:${column}`}</span>}
      {frame.app && <span class="tag">app</span>}
    </span>
  );
}

function Library({ frames }: { frames: TraceFrame[] }) {
  return (
    <details class="lib">
      <summary>
        <Icon name="right" />
        <span class="u">
          {plural(frames.length, "library frame")}
          <Text text={libraries(frames)} />
        </span>
      </summary>
      {frames.map((frame, index) => (
        <Frame key={index} frame={frame} isOpen={false} />
      ))}
    </details>
  );
}
