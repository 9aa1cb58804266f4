/** The page's requests beside the socket, all below one base path. Failures carry words for people. */

import type { Counted } from "./facets";
import { parseJson, type Issue, type Json, type LogMessage, type Minute, type Row, type TraceFrame } from "./wire";

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

  similar(id: string): Promise<{ issues: Issue[] }> {
    return this.ask(`/issues/${id}/similar`);
  }

  minutes(params: Record<string, string>): Promise<{ minutes: Minute[]; step_s: number; complete: boolean; next?: string | null }> {
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

  async ask<T>(path: string, method = "GET", body?: object): Promise<T> {
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
