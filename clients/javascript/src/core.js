/* Sends what goes wrong in a page to its stack, and never breaks, blocks or slows the page. */

var FORM = "application/x-www-form-urlencoded";
var MINUTE_MS = 60000, MAX_PER_MINUTE = 30; // errors; and as many log messages
var TIMEOUT_MS = 3000, MAX_TRIES = 5, MAX_WAITING = 30;
// Lengths as they are encoded: a whole body stays below the 64 KiB of fetch and sendBeacon.
var MAX_VALUE = 16384, MAX_BODY = 60000, MAX_URL = 2000, MAX_URL_VALUE = 1500;

/* Begins to watch a page; api has what was chosen (index.d.ts), and gets submit and log. */
export function start(window, api) {
  var navigator = window.navigator;
  var base = api.endpoint.replace(/\/*$/, "/");
  // An old Firefox forgets a fetch when the page ends, and can send a beacon.
  var canOutlive = window.Request && "keepalive" in window.Request.prototype;
  var gates = {}, notSent = 0, waiting = [], timer = 0, isLeaving = false, isInside = false;

  api.submit = safe(function (what) {
    report(isObject(what) && !isError(what) ? what : describe(what));
  });
  api.log = safe(function (what) {
    if (mayGo("log")) send("log", { _t: isObject(what) ? "json" : "text", _msg: what });
  });

  // Our trouble is never the page's, nor reported to ourselves.
  function safe(action) {
    return function (argument) {
      if (isInside || !api.key) return;
      isInside = true;
      try {
        action(argument);
      } catch (e) {}
      isInside = false;
    };
  }

  // What repeats within a minute, and more than MAX_PER_MINUTE, is only counted.
  function mayGo(path, signature) {
    var now = +new Date(), gate = gates[path];
    if (!gate || Math.abs(now - gate.at) > MINUTE_MS) gate = gates[path] = { at: now, n: 0, seen: {} };
    if (gate.n >= MAX_PER_MINUTE || (signature && gate.seen["$" + signature])) {
      notSent++;
      return false;
    }
    gate.n++;
    gate.seen["$" + signature] = signature;
    return true;
  }

  function report(said) {
    var fields = {}, name, i, more = [said, api.fields, {
      release: api.release,
      environment: api.environment,
      PageURL: window.location.href,
      UserAgent: navigator.userAgent,
      Platform: navigator.platform
    }];
    if (!mayGo("submit", text(said))) return;
    for (i = 0; i < 3; i++) for (name in more[i]) if (!fields[name]) fields[name] = more[i][name];
    if (notSent) fields.NotSent = notSent;
    notSent = 0;
    send("submit", fields);
  }

  function send(path, fields) {
    if (api.scrub) fields = api.scrub(fields);
    // The same _id on every try and part makes them one error.
    if (fields) go({
      url: base + path,
      head: "_s=" + encodeURIComponent(api.key) + "&_id=" + id() + id(),
      fields: fields,
      tries: path == "log" ? MAX_TRIES : 0 // a log message has no _id: a second try would double it
    });
  }

  function go(item) {
    var body = pairs(item.head.length, item.fields, MAX_VALUE, MAX_BODY)[0];
    body = item.head + body;
    if (navigator.onLine === false) return keep(item);
    if ((isLeaving || !canOutlive) && beacon(item.url, body)) return;
    try {
      window.fetch(item.url, {
        method: "POST",
        headers: { "Content-Type": FORM },
        body: body,
        credentials: "omit",
        keepalive: true,
        redirect: "manual", // following it would carry the key elsewhere
        signal: AbortSignal.timeout(TIMEOUT_MS) // a browser without it sends a beacon
      }).then(safe(function (answer) {
        if (answer.status == 429 || answer.status >= 500) again(item);
      }), safe(function (why) {
        if (why.name == "TimeoutError") again(item);
        else images(item);
      }));
    } catch (e) {
      if (!beacon(item.url, body)) images(item);
    }
  }

  function beacon(url, body) {
    try {
      return navigator.sendBeacon(url, new Blob([body], { type: FORM }));
    } catch (e) {}
  }

  // Where all else is missing or forbidden: one error in as many images as its fields need.
  function images(item) {
    var urls = pairs(item.url.length + item.head.length, item.fields, MAX_URL_VALUE, MAX_URL), i, image;
    var failed = safe(function () {
      if (item) again(item);
      item = 0;
    });
    for (i = 0; i < urls.length; i++) {
      image = new window.Image();
      image.onerror = failed;
      image.src = item.url + "?" + item.head + urls[i];
    }
  }

  function again(item) {
    if (item.tries++ < MAX_TRIES) keep(item);
    else notSent++;
  }

  function keep(item) {
    if (waiting.push(item) > MAX_WAITING) notSent += waiting.shift() ? 1 : 0;
    if (!timer && navigator.onLine !== false) timer = setTimeout(flush, 1000 << item.tries);
  }

  function flush() {
    var items = waiting;
    waiting = [];
    clearTimeout(timer);
    timer = 0;
    while (items.length) go(items.shift());
  }

  function resource(target) {
    var url = target.src || target.href;
    if (!url || !url.indexOf(base)) return; // an SVG's href is no text, and what is ours is not told
    report({ Msg: "Could not load " + url, name: "ResourceError", level: "warning", URL: url, Tag: target.tagName });
  }

  function failure(event) {
    var error = event.error || {}, target = event.target;
    if (target && target !== window && target.tagName) return resource(target);
    report({
      Msg: event.message,
      URL: event.filename,
      Line: event.lineno,
      Column: event.colno,
      name: error.name,
      stack: error.stack
    });
  }

  function rejection(event) {
    var fields = describe(event.reason);
    fields.name = fields.name || "UnhandledRejection";
    report(fields);
  }

  function watchConsole(console) {
    var before = console.error;
    var tell = safe(function (said) {
      var error = said.filter(isError)[0], fields = error ? describe(error) : { stack: new Error().stack };
      fields.Msg = said.map(function (each) { return isError(each) ? each.message : text(each); }).join(" ");
      fields.name = fields.name || "console.error";
      report(fields);
    });
    console.error = function () {
      tell([].slice.call(arguments));
      return before.apply(console, arguments);
    };
  }

  function on(name, action) {
    // Capturing, because a resource's failure does not bubble.
    if (window.addEventListener) window.addEventListener(name, safe(action), true);
  }

  // The page is shown, hidden for good, or has a network again: what waits goes now.
  function turn(event) {
    isLeaving = event.type == "pagehide";
    flush();
  }

  on("error", failure);
  on("unhandledrejection", rejection);
  on("online", turn);
  on("pageshow", turn);
  on("pagehide", turn);
  if (api.console && window.console) watchConsole(window.console);
  return api;
}

/* Fields as "&name=value…" texts, each within max; one text where all fit, others begin anew. */
function pairs(length, fields, maxValue, max) {
  var found = [""], name, pair;
  for (name in fields) {
    if (fields[name] == null) continue;
    pair = "&" + encode(name, maxValue / 4) + "=" + encode(fields[name], maxValue);
    if (length + found[0].length + pair.length > max) found.unshift("");
    found[0] += pair;
  }
  return found.reverse();
}

function encode(value, max) {
  var said = text(value), encoded;
  for (;;) {
    said = said.slice(0, max);
    try {
      encoded = encodeURIComponent(said);
      if (encoded.length <= max) return encoded;
      said = said.slice(0, said.length * max / encoded.length);
    } catch (e) { // half of a surrogate pair
      said = said.replace(/[\ud800-\udfff]/g, "\ufffd");
    }
  }
}

function text(value) {
  try {
    value = isObject(value) ? JSON.stringify(value) : value;
  } catch (e) {} // a circle
  return String(value);
}

function describe(thrown) {
  return isObject(thrown) && thrown.message !== undefined
    ? { Msg: thrown.message || thrown.name, name: thrown.name, stack: thrown.stack }
    : { Msg: text(thrown) };
}

function isObject(value) {
  return typeof value == "object" && value !== null;
}

function isError(value) {
  return value instanceof Error;
}

function id() {
  return Math.random().toString(36).slice(2, 12);
}
