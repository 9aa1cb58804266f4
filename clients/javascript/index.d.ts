/** Fields of an error: any names; values that are no text are sent as JSON. */
export type Fields = Record<string, unknown>;

export interface Options {
  /** The stack key. Without it nothing is sent. */
  key: string;
  /** The server's address, with its ingest alias where it has one: "https://errors.example.com/x". */
  endpoint: string;
  release?: string;
  environment?: string;
  /** Go with every error; what is nearer to the error wins. */
  fields?: Fields;
  /** Gets what is about to be sent and returns it, changed or not; null to send nothing. When it
   * throws, nothing is sent. */
  scrub?: (fields: Fields) => Fields | null;
  /** Whether console.error is reported as well. */
  console?: boolean;
}

export interface ErrorStack extends Options {
  /** Sends an error: an Error, a text, or any fields. Never throws. */
  submit(what: unknown): void;
  /** Sends a log message: the last ten are kept with the error that follows. Never throws. */
  log(what: unknown): void;
}

/** Begins to watch the page. Options may be changed later, on what is returned. */
export function init(options: Options): ErrorStack;

declare global {
  interface Window {
    /** Of the script tag; before it loads, options may be put here. */
    ErrorStack?: Partial<ErrorStack>;
  }
}
