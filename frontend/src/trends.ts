/** How each issue went in the last hour, in steps: loaded once, counted on as errors come. */

const STEPS = 30;
const STEP_MS = 120_000;
/** Issues whose trends are kept; the one counted longest ago goes first. */
const MAX_ISSUES = 1_000;

export class Trends {
  private readonly byIssue = new Map<string, Map<number, number>>();

  /** Take what the server counted, from `since` in steps of `stepMs`. */
  replace(since: number, stepMs: number, trends: Record<string, number[]>): void {
    for (const [issue, counts] of Object.entries(trends)) {
      const steps = new Map<number, number>();
      counts.forEach((count, index) => bump(steps, since + index * stepMs, count));
      this.put(issue, steps);
    }
  }

  add(issue: string, at: number, count: number): void {
    const steps = this.byIssue.get(issue) ?? new Map<number, number>();
    bump(steps, at, count);
    this.put(issue, steps);
  }

  /** Counts of the steps up to now, oldest first. */
  bars(issue: string, now: number): number[] {
    const steps = this.byIssue.get(issue);
    const last = Math.floor(now / STEP_MS);
    return Array.from({ length: STEPS }, (_, index) => steps?.get(last - STEPS + 1 + index) ?? 0);
  }

  private put(issue: string, steps: Map<number, number>): void {
    const floor = Math.max(...steps.keys()) - STEPS;
    for (const step of steps.keys()) if (step < floor) steps.delete(step);
    this.byIssue.delete(issue);
    this.byIssue.set(issue, steps);
    if (this.byIssue.size > MAX_ISSUES) this.byIssue.delete(this.byIssue.keys().next().value!);
  }
}

function bump(steps: Map<number, number>, at: number, count: number): void {
  const step = Math.floor(at / STEP_MS);
  steps.set(step, (steps.get(step) ?? 0) + count);
}
