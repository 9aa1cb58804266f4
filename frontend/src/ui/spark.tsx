/** A small chart of counts, oldest first. */

import { plural } from "../text";

export function Spark({ counts, span }: { counts: readonly number[]; span: string }) {
  const highest = Math.max(1, ...counts);
  const width = 120 / counts.length;
  const total = counts.reduce((all, count) => all + count, 0);
  const d = counts.map((count, index) => {
    const height = count === 0 ? 1 : Math.max(2, (count / highest) * 19);
    return `M${(index * width).toFixed(1)} 20v${(-height).toFixed(1)}h${(width * 0.76).toFixed(1)}V20z`;
  });
  return (
    <svg class="spark" viewBox="0 0 120 20" preserveAspectRatio="none" role="img" aria-label={`${plural(total, "error")} in ${span}`}>
      <path d={d.join("")} />
    </svg>
  );
}
