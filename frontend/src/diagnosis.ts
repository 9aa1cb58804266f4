/** What is wrong when a test error does not come through, in words that say what to do. */

/** What became of the request: an answer, or why there is none. */
export type Outcome = Answer | { kind: "redirect" } | { kind: "timeout" } | { kind: "failed" };

export interface Answer {
  kind: "answer";
  status: number;
  success: boolean;
  message: string;
  retryAfterS: number;
}

export interface Try {
  /** The page's own address and the one that senders use. */
  page: string;
  submit: string;
  /** A neutral prefix that also takes submissions, or empty. */
  alias: string;
  /** Whether the server still answers this page. */
  isAnswering: boolean;
}

/** Says why nothing was stored; empty when it was. */
export function whyNotStored(outcome: Outcome, tried: Try): string {
  if (outcome.kind === "redirect") {
    return (
      `${tried.submit} answers with a redirect. Senders that do not follow it lose their errors: ` +
      "set ERRORSTACK_PUBLIC_URL to where it leads, most likely the https address."
    );
  }
  if (outcome.kind === "timeout") {
    return `No answer from ${tried.submit}. The server, its database or a proxy in front hangs; the status page may say which.`;
  }
  return outcome.kind === "failed" ? whyUnreachable(tried) : whyRefused(outcome, tried);
}

function whyUnreachable({ page, submit, alias, isAnswering }: Try): string {
  const here = new URL(page);
  const there = new URL(submit, page);
  if (here.protocol === "https:" && there.protocol === "http:") {
    return (
      "This page came over https, but senders are told an http address, where browsers refuse to send from here " +
      "(mixed content). Set ERRORSTACK_PUBLIC_URL to the https address."
    );
  }
  if (!isAnswering) return "The server does not answer any more. Does it run, and is this machine on its network?";
  if (here.origin !== there.origin) {
    const certificate = there.protocol === "https:" ? ", or its certificate is not trusted here" : "";
    return (
      `This page is reached, but ${there.origin} is not${certificate}. It is the address that senders are told; ` +
      "ERRORSTACK_PUBLIC_URL sets it."
    );
  }
  const neutral = alias
    ? `Web pages can send to ${alias}${there.pathname}, which it will not know.`
    : "ERRORSTACK_INGEST_ALIAS gives web pages a neutral address.";
  return `Something in this browser blocks ${there.pathname}, most likely an ad blocker. Other programs are not affected. ${neutral}`;
}

function whyRefused(outcome: Answer, { submit }: Try): string {
  const { status, success, message, retryAfterS } = outcome;
  if (success) return "";
  const again = retryAfterS > 0 ? ` Try again in ${retryAfterS} s.` : "";
  if (status === 429) return `${message || "Too fast"}.${again} What is faster than the limit is refused; the limit is set under Settings.`;
  if (status === 503) {
    const when = retryAfterS > 0 ? ` in ${retryAfterS} s` : "";
    return `${message || "The database is away"}. Nothing can be stored now; senders are told to try again${when}.`;
  }
  if (status === 200 && /key/i.test(message)) return "The key is unknown or was revoked. Reload this page: it takes one that works.";
  if (message) return `${message} (${status}).`;
  return `What answers at ${submit} is not ErrorStack (${status}). Does a proxy in front pass /submit on?`;
}

/** Says why what is stored did not come through the live socket. */
export function whyNotStreamed(isSocketOpen: boolean): string {
  return isSocketOpen
    ? "It is stored, but did not come through the live stream in time. The status page says how far behind the feed is."
    : "It is stored, but the live socket cannot be opened from here: a proxy in front must pass websockets on (the headers Upgrade and Connection).";
}
