"use strict";
/** Exceptions and rejections that nobody caught: sent, and then everything is as it is without us. */

/** Submit what ends the program. Returns a function that takes the hook away. */
function installHooks(client) {
  function died(error, origin) {
    client.submit(error, { level: "fatal", origin });
    // Where the program has a handler of its own it goes on, and so does our queue.
    if (!process.listenerCount("uncaughtException")) client.sendNow();
  }
  process.on("uncaughtExceptionMonitor", died);
  return () => process.off("uncaughtExceptionMonitor", died);
}

module.exports = { installHooks };
