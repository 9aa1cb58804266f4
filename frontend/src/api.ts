/** The page's requests beside the socket, all below one base path. Failures carry words for people. */

import type { Counted } from "./facets";
import type { Fix } from "./fix";
import { parseJson, type Issue, type Json, type LogMessage, type Marker, type Minute, type Row, type Status, type TraceFrame } from "./wire";

/** `status` 0: the server could not be reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** What the panel shows of an error: the list's row, whole, with what the door saw. */
export interface WholeError extends Row {
  /** The stack trace as the server read it from `field`, the place of the throw first. */
  trace?: { field: string; frames: TraceFrame[] } | null;
  request?: { ip: string; user_agent: string; referer: string; protocol: string };
  reserved?: Record<string, Json>;
}

export interface ErrorsPage {
  errors: Row[];
  reached_at: number | null;
  complete: boolean;
}

export interface Share {
  id: string;
  name: string;
  query: string;
  hidden: string[];
  with_logs: boolean;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  url?: string;
}

export interface NewShare {
  name: string;
  query: string;
  hidden: string[];
  with_logs: boolean;
  expires_in_s: number | null;
}

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

export class Api {
  constructor(private readonly base: string) {}

  error(id: string): Promise<WholeError> {
    return this.ask(`/errors/${id}`);
  }

  errors(params: Record<string, string>): Promise<ErrorsPage> {
    return this.ask(`/errors?${new URLSearchParams(params)}`);
  }

  issue(id: string): Promise<Issue> {
    return this.ask(`/issues/${id}`);
  }

  issues(params: Record<string, string>): Promise<{ issues: Issue[] }> {
    return this.ask(`/issues?${new URLSearchParams(params)}`);
  }

  setStatus(change: StatusChange): Promise<{ issues: Issue[]; done_at: number }> {
    return this.ask("/issues/status", "POST", change);
  }

  undo(ids: readonly string[], doneAt: number): Promise<{ issues: Issue[] }> {
    return this.ask("/issues/undo", "POST", { ids, done_at: doneAt });
  }

  merge(ids: readonly string[], into: string): Promise<{ issues: Issue[] }> {
    return this.ask("/issues/merge", "POST", { ids, into });
  }

  unmerge(id: string): Promise<{ issues: Issue[] }> {
    return this.ask(`/issues/${id}/unmerge`, "POST", {});
  }

  fix(id: string): Promise<Fix> {
    return this.ask(`/issues/${id}/fix`);
  }

  similar(id: string): Promise<{ issues: Issue[] }> {
    return this.ask(`/issues/${id}/similar`);
  }

  breakdown(id: string): Promise<{ fields: Part[]; errors: number }> {
    return this.ask(`/issues/${id}/breakdown`);
  }

  trends(ids: readonly string[]): Promise<{ since: number; step_s: number; trends: Record<string, number[]> }> {
    return this.ask(`/trends?issues=${ids.join(",")}`);
  }

  markers(): Promise<{ markers: OwnMarker[] }> {
    return this.ask("/markers");
  }

  mark(text: string): Promise<Marker> {
    return this.ask("/markers", "POST", { text });
  }

  unmark(id: string): Promise<unknown> {
    return this.ask(`/markers/${id}`, "DELETE");
  }

  minutes(params: Record<string, string>): Promise<{ minutes: Minute[]; step_s: number; complete: boolean }> {
    return this.ask(`/minutes?${new URLSearchParams(params)}`);
  }

  fields(params: Record<string, string>): Promise<Counted & { complete: boolean }> {
    return this.ask(`/fields?${new URLSearchParams(params)}`);
  }

  logs(): Promise<{ logs: LogMessage[] }> {
    return this.ask("/logs");
  }

  sendTest(): Promise<{ id: string }> {
    return this.ask("/test", "POST", {});
  }

  shares(): Promise<{ shares: Share[] }> {
    return this.ask("/shares");
  }

  share(share: NewShare): Promise<Share> {
    return this.ask("/shares", "POST", share);
  }

  revoke(id: string): Promise<unknown> {
    return this.ask(`/shares/${id}`, "DELETE");
  }

  private async ask<T>(path: string, method = "GET", body?: object): Promise<T> {
    const init: RequestInit = { method, headers: { Accept: "application/json" } };
    if (body) {
      init.body = JSON.stringify(body);
      init.headers = { ...init.headers, "Content-Type": "application/json" };
    }
    let response: Response;
    try {
      response = await fetch(this.base + path, init);
    } catch {
      throw new ApiError(0, "The server cannot be reached");
    }
    return read(response);
  }
}

async function read<T>(response: Response): Promise<T> {
  const text = await response.text();
  let answer: unknown = null;
  try {
    answer = text ? parseJson(text) : null;
  } catch {
    answer = null; // not JSON: a proxy's page
  }
  if (response.ok) return answer as T;
  const message = (answer as { message?: unknown } | null)?.message;
  throw new ApiError(response.status, typeof message === "string" ? message : `The server answered ${response.status}`);
}
