/** What is asked about issues and markers: with the code that comes when it is needed. */

import type { Api } from "./api";
import type { Fix } from "./fix";
import type { Issue, Marker, Status } from "./wire";

/** What a member says of issues; ignored for so many seconds, or until so many more, else for ever. */
export interface StatusChange {
  ids: readonly string[];
  status: Status;
  for_s?: number;
  more?: number;
}

/** A field of an issue's errors: its most common values, how many have others, or none. */
export interface Part {
  name: string;
  values: [text: string, count: number][];
  others: number;
  missing: number;
}

/** A marker as members see it: `by` is an e-mail or a network address. */
export interface OwnMarker extends Marker {
  by?: string;
}

export class IssueApi {
  constructor(private readonly api: Api) {}

  /** The issues of the errors that match, counted among these; the latest. */
  matching(asked: Record<string, string>): Promise<{ issues: Issue[]; reached_at: number | null }> {
    return this.api.ask(`/issues?${new URLSearchParams(asked)}`);
  }

  setStatus(change: StatusChange): Promise<{ issues: Issue[]; done_at: number }> {
    return this.api.ask("/issues/status", "POST", change);
  }

  undo(ids: readonly string[], doneAt: number): Promise<{ issues: Issue[] }> {
    return this.api.ask("/issues/undo", "POST", { ids, done_at: doneAt });
  }

  merge(ids: readonly string[], into: string): Promise<{ issues: Issue[] }> {
    return this.api.ask("/issues/merge", "POST", { ids, into });
  }

  unmerge(id: string): Promise<{ issues: Issue[] }> {
    return this.api.ask(`/issues/${id}/unmerge`, "POST", {});
  }

  fix(id: string): Promise<Fix> {
    return this.api.ask(`/issues/${id}/fix`);
  }

  breakdown(id: string): Promise<{ fields: Part[]; errors: number }> {
    return this.api.ask(`/issues/${id}/breakdown`);
  }

  trends(ids: readonly string[]): Promise<{ since: number; step_s: number; trends: Record<string, number[]> }> {
    return this.api.ask(`/trends?issues=${ids.join(",")}`);
  }

  markers(): Promise<{ markers: OwnMarker[] }> {
    return this.api.ask("/markers");
  }

  mark(text: string): Promise<Marker> {
    return this.api.ask("/markers", "POST", { text });
  }

  unmark(id: string): Promise<unknown> {
    return this.api.ask(`/markers/${id}`, "DELETE");
  }
}
