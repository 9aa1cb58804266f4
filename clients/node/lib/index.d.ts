import type { SecureContextOptions } from "node:tls";

/** Fields of an error: any names. Nested objects get names with dots: "order.id". */
export type Fields = Record<string, unknown>;

export interface Options {
  /** The stack key, and the server's address. Without either nothing is sent. */
  key: string;
  endpoint: string;
  release?: string;
  environment?: string;
  /** Go with every error; what is nearer to the error wins. */
  fields?: Fields;
  /** Gets what is about to be sent and returns it, changed or not; null to send nothing. */
  scrub?: (fields: Record<string, string | string[]>) => Fields | null;
  /** Messages that wait, 200; a further one pushes out the oldest. */
  maxQueue?: number;
  /** Errors let in, and as many log messages, 120. */
  perMinute?: number;
  /** The same error within so many seconds is counted, not sent: 10. */
  dedupeSeconds?: number;
  /** Of a request, 3000 at most. */
  timeoutMs?: number;
  tls?: SecureContextOptions;
}

export declare class Client {
  constructor(options: Options);
  readonly isEnabled: boolean;
  /** What last went wrong, also if it went well since; "" when nothing did. */
  readonly lastProblem: string;
  /** Sends an error: an Error, a text, or fields; false when it will not be sent. */
  submit(what: unknown, more?: Fields): boolean;
  /** Sends a log message: the last ten are kept with the error that follows. */
  log(what: unknown): boolean;
  /** Whatever is submitted inside, however late, has these fields too. */
  watch<T>(fields: Fields, action: () => T): T;
  /** Resolves when everything went out or was given up; to false when `ms` was not enough. */
  flush(ms?: number): Promise<boolean>;
  close(ms?: number): Promise<boolean>;
  /** For hooks of your own: sends what waits, blocking, because the program ends now. */
  sendNow(): void;
}

/** Submits what ends the program. Returns a function that takes the hook away. */
export declare function installHooks(client: Client): () => void;
/** The first middleware: what is submitted tells its request. */
export declare function requests(client: Client): (request: any, response: any, next: () => void) => void;
/** The error handler of Express, the last middleware. */
export declare function express(client: Client): (error: any, request: any, response: any, next: (error?: any) => void) => void;
/** The first middleware of Koa. */
export declare function koa(client: Client): (context: any, next: () => Promise<unknown>) => Promise<void>;
/** The plugin of Fastify: app.register(fastify, { client }). */
export declare function fastify(app: any, options: { client: Client }, done: (error?: Error) => void): void;
