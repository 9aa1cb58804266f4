/** What is asked about share links: with the dialog's code. */

import type { Api } from "./api";
import type { LogMessage, Row } from "./wire";

export interface Share {
  id: string;
  name: string;
  query: string;
  hidden: string[];
  with_logs: boolean;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  /** How many watch by it now. */
  viewers: number;
  url?: string;
}

export interface NewShare {
  name: string;
  query: string;
  hidden: string[];
  with_logs: boolean;
  expires_in_s: number | null;
  /** How it looks when it is opened: the search part of a view's address. */
  initial: string;
}

/** What a link would show now. */
export interface Shown {
  errors: Row[];
  logs: LogMessage[];
  complete: boolean;
}

export class ShareApi {
  constructor(private readonly api: Api) {}

  preview(share: NewShare): Promise<Shown> {
    return this.api.ask("/shares/preview", "POST", share);
  }

  shares(): Promise<{ shares: Share[] }> {
    return this.api.ask("/shares");
  }

  share(share: NewShare): Promise<Share> {
    return this.api.ask("/shares", "POST", share);
  }

  revoke(id: string): Promise<unknown> {
    return this.api.ask(`/shares/${id}`, "DELETE");
  }
}
