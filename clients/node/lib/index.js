"use strict";
/**
 * Send errors and log messages to an ErrorStack server, from any Node program.
 *
 * What is called puts a message into a bounded queue and returns; requests go out one at a time on
 * one connection. Nothing in here throws into the program, keeps it from ending, or reports its own
 * failures to itself.
 */
const { Client } = require("./client");
const { installHooks } = require("./hooks");
const { express, fastify, koa, requests } = require("./handlers");

module.exports = { Client, installHooks, express, fastify, koa, requests };
