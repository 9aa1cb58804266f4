"use strict";
/** Errors of web applications, with the request they are of; the frameworks answer as ever. */

/** Middleware of Express and of everything like it, the first: what is submitted tells its request. */
function requests(client) {
  return (request, _, next) => client.watch(fieldsOf(request), next);
}

/** The error handler of Express, the last: app.use(express(client)). */
function express(client) {
  return (error, request, _, next) => {
    if (isOurs(error)) client.submit(asError(error), { ...fieldsOf(request), route: request.route?.path });
    next(error);
  };
}

/** Middleware of Koa, the first: app.use(koa(client)). */
function koa(client) {
  return (context, next) =>
    client.watch(fieldsOf(context.req), async () => {
      try {
        await next();
      } catch (error) {
        if (isOurs(error)) client.submit(asError(error), { ...fieldsOf(context.req), route: context._matchedRoute });
        throw error;
      }
    });
}

/** The plugin of Fastify: app.register(fastify, { client }). */
function fastify(app, { client }, done) {
  app.addHook("onRequest", (request, _, next) => client.watch(fieldsOf(request.raw), next));
  app.addHook("onError", (request, _, error, next) => {
    const route = request.routeOptions?.url;
    if (isOurs(error)) client.submit(asError(error), { ...fieldsOf(request.raw), route });
    next();
  });
  done();
}
fastify[Symbol.for("skip-override")] = true; // the hooks are the whole application's
fastify[Symbol.for("fastify.display-name")] = "errorstack";

/** Not what is an answer: 404, 403 … */
function isOurs(error) {
  const status = Number(error?.status ?? error?.statusCode ?? 500);
  return !(status < 500);
}

function asError(error) {
  return error instanceof Error ? error : new Error(`thrown: ${String(error)}`);
}

function fieldsOf(request) {
  const scheme = request.socket?.encrypted ? "https" : "http";
  return {
    method: request.method,
    PageURL: `${scheme}://${request.headers.host ?? ""}${request.originalUrl ?? request.url}`,
    UserAgent: request.headers["user-agent"],
  };
}

module.exports = { express, fastify, koa, requests };
