"use strict";
/* Send a log message, two errors, and the exception that ends the program: node program.js ENDPOINT KEY */
const { Client, installHooks } = require("errorstack-node");

const [endpoint, key] = process.argv.slice(2);
const client = new Client({ key, endpoint, release: "1.0", environment: "example" });
installHooks(client); // what nobody catches

client.log("the example begins");
client.submit({ Msg: "Cart is empty", order: { id: 1017, total: 12.5 } });
try {
  JSON.parse("{");
} catch (error) {
  client.submit(error, { table: "rates" });
}
setTimeout(() => {
  throw new RangeError("the end");
}, 200);
