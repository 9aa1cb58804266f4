/* Sends what goes wrong in a page to its stack, and never breaks the page:
   <script src="https://your.server/beacon.js" data-stack="KEY" async></script>
   By hand: ErrorStack.submit({Msg: "…"}), ErrorStack.submit(error), ErrorStack.log("…"). */
(function (window, document, navigator) {
  "use strict";
  var FORM = "application/x-www-form-urlencoded";
  var MINUTE_MS = 60000, MAX_PER_MINUTE = 30;
  var MAX_VALUE = 8192, MAX_URL = 8000, MAX_KEEPALIVE = 60000; // fetch and sendBeacon take 64 KiB
  var script = document.currentScript || document.querySelector("script[data-stack],script[src*='_s=']");
  var src = script && script.src || "";
  var key = script && script.getAttribute("data-stack");
  key = key ? encodeURIComponent(key) : (/[?&]_s=([^&#]*)/.exec(src) || [])[1];
  // Beside the script itself, so that another origin or path prefix needs no setting.
  var base = src.split(/[?#]/)[0].replace(/[^/]*$/, "");
  var minuteAt = 0, sent = 0, held = 0, seen = {};

  if (window.ErrorStack) return;

  function safe(action) {
    return function (argument) {
      try {
        if (key) action(argument);
      } catch (e) {} // our trouble is never the page's
    };
  }

  function isObject(value) {
    return typeof value === "object" && value !== null;
  }

  function encode(value) {
    try {
      value = isObject(value) ? JSON.stringify(value) : value;
    } catch (e) {} // a circle
    value = String(value).slice(0, MAX_VALUE);
    try {
      return encodeURIComponent(value);
    } catch (e) { // half of a surrogate pair
      return encodeURIComponent(value.replace(/[\ud800-\udfff]/g, "\ufffd"));
    }
  }

  // What repeats within a minute, and more than MAX_PER_MINUTE, is only counted.
  function mayGo(signature) {
    var now = +new Date();
    if (Math.abs(now - minuteAt) > MINUTE_MS) {
      minuteAt = now;
      sent = 0;
      seen = {};
    }
    if (sent >= MAX_PER_MINUTE || seen["$" + signature]) {
      held++;
      return false;
    }
    sent++;
    if (signature) seen["$" + signature] = true;
    return true;
  }

  function send(path, fields) {
    var url = base + path;
    // The key comes first in case the end is cut; the same _id makes a retry the same error.
    var body = "_s=" + key + "&_id=" + Math.random().toString(36).slice(2) + (+new Date()).toString(36);
    for (var name in fields) {
      if (fields[name] != null) body += "&" + encode(name) + "=" + encode(fields[name]);
    }
    function image() {
      new Image().src = url + "?" + body.slice(0, MAX_URL);
    }
    try {
      if (navigator.sendBeacon(url, new Blob([body], { type: FORM }))) return;
    } catch (e) {}
    try {
      window.fetch(url, {
        method: "POST",
        mode: "no-cors",
        credentials: "omit",
        keepalive: body.length < MAX_KEEPALIVE,
        headers: { "Content-Type": FORM },
        body: body
      }).catch(image);
    } catch (e) {
      image();
    }
  }

  function report(fields, signature) {
    var all = {}, name;
    if (!mayGo(signature)) return;
    for (name in fields) all[name] = fields[name];
    all.PageURL = all.PageURL || window.location.href;
    all.UserAgent = all.UserAgent || navigator.userAgent;
    all.Platform = all.Platform || navigator.platform;
    if (held) all.NotSent = held;
    held = 0;
    send("submit", all);
  }

  function describe(thrown) {
    return isObject(thrown) && thrown.message !== undefined
      ? { Msg: thrown.message || thrown.name, name: thrown.name, stack: thrown.stack }
      : { Msg: isObject(thrown) ? thrown : String(thrown) };
  }

  window.ErrorStack = {
    submit: safe(function (what) {
      report(isObject(what) && !(what instanceof Error) ? what : describe(what));
    }),
    log: safe(function (what) {
      if (mayGo()) send("log", { _t: isObject(what) ? "json" : "text", _msg: what });
    })
  };
  if (!window.addEventListener) return;
  window.addEventListener("error", safe(function (event) {
    var error = event.error || {};
    report({
      Msg: event.message,
      URL: event.filename,
      Line: event.lineno,
      Column: event.colno,
      name: error.name,
      stack: error.stack
    }, [event.message, event.filename, event.lineno, event.colno]);
  }));
  window.addEventListener("unhandledrejection", safe(function (event) {
    var fields = describe(event.reason);
    fields.name = fields.name || "UnhandledRejection";
    report(fields, [fields.Msg, fields.stack]);
  }));
})(window, document, navigator);
