// KOBJ.errorstack_submit for pages: sends an error in as many image requests as it takes, each with an
// address short enough for every browser and proxy. ECMAScript 3: it runs where Kynetx's runtime ran.
//
//   KOBJ.errorstack_submit(key, error, {name: "the rule", id: "the ruleset"})
//   KOBJ.errorstack_log(key, "a message")
//
// KOBJ.errorstack holds the settings; set them before or after this script.

var KOBJ = window.KOBJ || {};

(function (KOBJ) {
  var settings = KOBJ.errorstack = KOBJ.errorstack || {};
  var defaults = {
    endpoint: "http://www.errorstack.com", // the server
    release: "", environment: "", fields: null, // go with every error
    scrub: null, // gets the fields, returns those to send, or null to send nothing
    max_url: 2000, // characters of one address
    max_parts: 12, // of one error; what does not fit is cut
    max_queue: 40, // requests on their way or waiting for another try; more are dropped
    per_minute: 30, // errors, and as many log messages
    dedupe_ms: 10000, // the same error within it is counted, not sent
    timeout_ms: 3000, // for one image
    retry_ms: 2000 // before another try; twice as long before the last
  };
  var TRIES = 3;
  var MAX_PARALLEL = 4;
  var MAX_SEEN = 100;
  var is_inside = false;
  var images = []; // on their way: a browser may forget an image that nobody holds
  var waiting = [];
  var pending = 0; // both of these, and what waits for another try
  var seen = {}, seen_order = [];
  var minute = {};
  var dropped = {}, has_dropped = false;
  var count = 0;

  function setting(name) {
    return settings[name] === undefined ? defaults[name] : settings[name];
  }

  function now_ms() {
    return new Date().getTime();
  }

  function has(object, name) {
    return Object.prototype.hasOwnProperty.call(object, name);
  }

  function drop(reason) {
    dropped[reason] = (has(dropped, reason) ? dropped[reason] : 0) + 1;
    has_dropped = true;
  }

  // Half a surrogate pair is no character, and encodeURIComponent refuses it.
  function encode(text) {
    try {
      return encodeURIComponent(text);
    } catch (e) {
      return encodeURIComponent(text.replace(/[\uD800-\uDFFF]/g, "\uFFFD"));
    }
  }

  function text(value) {
    try {
      return typeof value === "string" ? value : String(value);
    } catch (e) {
      return "(a value that cannot be shown)";
    }
  }

  function new_id() {
    count += 1;
    return now_ms().toString(36) + "-" + Math.random().toString(36).slice(2, 12) + "-" + count;
  }

  // The fields that describe an error, in their order, as [name, text] pairs.
  function described(error, rule_info) {
    var thrown = error === null || typeof error !== "object" ? {} : error;
    var info = rule_info || {};
    var found = [
      ["Msg", thrown.message ? thrown.message : error],
      ["name", thrown.name],
      ["ScriptURL", thrown.fileName || thrown.sourceURL],
      ["PageURL", document.location.href],
      ["Line", thrown.lineNumber || thrown.line],
      ["Description", thrown.description === thrown.message ? "" : thrown.description],
      ["RuleName", info.name],
      ["RuleID", info.id],
      ["release", setting("release")],
      ["environment", setting("environment")],
      ["Platform", navigator.platform],
      ["UserAgent", navigator.userAgent]
    ];
    var name, more = setting("fields") || {};
    for (name in more) {
      if (has(more, name)) {
        found.push([name, more[name]]);
      }
    }
    for (name in info) {
      if (has(info, name) && name !== "name" && name !== "id") {
        found.push([name, info[name]]);
      }
    }
    found.push(["stack", thrown.stack]);
    return told(found);
  }

  // Those that say something, as texts.
  function told(pairs) {
    var found = [], index, value;
    for (index = 0; index < pairs.length; index += 1) {
      value = pairs[index][1];
      if (value !== undefined && value !== null && value !== "") {
        found.push([text(pairs[index][0]), text(value)]);
      }
    }
    return found;
  }

  function scrubbed(pairs) {
    var hook = setting("scrub"), fields = {}, kept, found = [], index, name;
    if (!hook) {
      return pairs;
    }
    for (index = 0; index < pairs.length; index += 1) {
      fields[pairs[index][0]] = pairs[index][1];
    }
    try {
      kept = hook(fields);
    } catch (e) {
      drop("scrub");
      return null;
    }
    if (!kept) {
      return null;
    }
    for (name in kept) {
      if (has(kept, name)) {
        found.push([name, kept[name]]);
      }
    }
    return told(found);
  }

  // Split fields into queries of `room` characters. A value too long for one goes on as name_2, name_3 …
  function split(pairs, room) {
    var parts = [], part = "", max_parts = setting("max_parts"), index, pieces, piece;
    for (index = 0; index < pairs.length; index += 1) {
      pieces = cut(pairs[index][0], pairs[index][1], room, room - part.length);
      for (piece = 0; piece < pieces.length; piece += 1) {
        if (part.length + pieces[piece].length > room && part) {
          parts.push(part);
          part = "";
        }
        part += pieces[piece];
      }
    }
    if (part) {
      parts.push(part);
    }
    if (parts.length > max_parts) {
      drop("parts");
    }
    return parts.slice(0, max_parts);
  }

  function cut(name, value, room, left) {
    var pieces = [], whole = "&" + encode(name) + "=" + encode(value), piece, index, letter, max_parts;
    if (whole.length <= room) {
      return [whole];
    }
    max_parts = setting("max_parts");
    piece = "&" + encode(name) + "=";
    if (left < room / 2) {
      left = room; // not worth starting here
    }
    for (index = 0; index < value.length && pieces.length < max_parts; index += 1) {
      letter = value.charAt(index);
      if (/[\uD800-\uDBFF]/.test(letter) && /[\uDC00-\uDFFF]/.test(value.charAt(index + 1))) {
        index += 1;
        letter += value.charAt(index);
      }
      letter = encode(letter);
      if (piece.length + letter.length > left) {
        pieces.push(piece);
        piece = "&" + encode(name + "_" + (pieces.length + 1)) + "=";
        left = room;
      }
      piece += letter;
    }
    pieces.push(piece);
    return pieces;
  }

  // Why a message stays out: "repeat" or "limit"; null when it may go in.
  function refusal(path, pairs) {
    var at_ms = now_ms(), mark = "", index, of = minute[path];
    for (index = 0; index < pairs.length; index += 1) {
      mark += pairs[index][0] + "\n" + pairs[index][1] + "\n";
    }
    if (path === "/submit" && has(seen, mark) && at_ms - seen[mark] < setting("dedupe_ms")) {
      return "repeat";
    }
    if (!of || at_ms - of.began_ms >= 60000) {
      of = minute[path] = { began_ms: at_ms, count: 0 };
    }
    if (of.count >= setting("per_minute")) {
      return "limit";
    }
    of.count += 1;
    if (!has(seen, mark)) {
      seen_order.push(mark);
    }
    seen[mark] = at_ms;
    if (seen_order.length > MAX_SEEN) {
      delete seen[seen_order.shift()];
    }
    return null;
  }

  function losses() {
    var found = [], reason;
    for (reason in dropped) {
      if (has(dropped, reason)) {
        found.push(["dropped_" + reason, dropped[reason]]);
      }
    }
    dropped = {};
    has_dropped = false;
    return told(found);
  }

  function send(path, key, pairs) {
    var reason = refusal(path, pairs), parts, index, start, end;
    if (reason) {
      drop(reason);
      return false;
    }
    pairs = scrubbed(pairs);
    if (!pairs) {
      return false;
    }
    if (path === "/submit" && has_dropped) {
      pairs = losses().concat(pairs);
    }
    start = text(setting("endpoint")).replace(/\/+$/, "").replace(/\/submit$/, "") + path + "?_s=" + encode(text(key));
    end = path === "/submit" ? "&_id=" + new_id() : "&_n=" + new_id(); // or the browser asks once for two
    parts = split(pairs, setting("max_url") - start.length - end.length - "&_r=img".length);
    if (path === "/log") {
      parts = parts.slice(0, 1); // log messages have no parts
    }
    if (pending + parts.length > setting("max_queue")) {
      drop("queue");
      return false;
    }
    for (index = 0; index < parts.length; index += 1) {
      pending += 1;
      waiting.push({ start: start, end: end, fields: parts[index], tries: 0, is_log: path === "/log" });
    }
    pump();
    return true;
  }

  function pump() {
    while (waiting.length && images.length < MAX_PARALLEL) {
      load(waiting.shift());
    }
  }

  // Each try orders the address in another way: an image that failed is not asked for again.
  function address(part) {
    var ways = ["&_r=img" + part.end + part.fields, part.end + "&_r=img" + part.fields, part.fields + "&_r=img" + part.end];
    return part.start + ways[part.tries % ways.length];
  }

  function load(part) {
    var image = new Image(), is_over = false, timer;
    function ended(is_stored) {
      if (is_over) {
        return;
      }
      is_over = true;
      window.clearTimeout(timer);
      image.onload = image.onerror = image.onabort = null;
      remove(images, image);
      part.tries += 1;
      if (is_stored || part.is_log || part.tries >= TRIES) {
        pending -= 1;
        if (!is_stored) {
          drop("unsent");
        }
      } else {
        window.setTimeout(function () {
          waiting.push(part);
          pump();
        }, setting("retry_ms") * part.tries);
      }
      pump();
    }
    image.onload = function () { ended(true); };
    image.onerror = image.onabort = function () { ended(false); };
    timer = window.setTimeout(function () {
      image.src = "data:image/gif;base64,R0lGODlhAQABAAAAACw="; // lets the connection go
      ended(false);
    }, setting("timeout_ms"));
    images.push(image);
    image.src = address(part);
  }

  function remove(list, item) {
    var index;
    for (index = list.length - 1; index >= 0; index -= 1) {
      if (list[index] === item) {
        list.splice(index, 1);
      }
    }
  }

  // Do something of ours: whatever goes wrong in it stays in it, and what the hook or a value's own
  // toString reports meanwhile is not sent.
  function guarded(work) {
    var is_sent = false;
    if (is_inside) {
      return false;
    }
    is_inside = true;
    try {
      is_sent = work();
    } catch (e) {
      drop("unreadable");
    }
    is_inside = false;
    return is_sent;
  }

  // Send an error: whatever was thrown. False when it will not be sent, as without a key.
  KOBJ.errorstack_submit = function (key, error, rule_info) {
    return !!key && guarded(function () {
      return send("/submit", key, described(error, rule_info));
    });
  };

  // Send a log message; the last ten are shown with the errors that follow.
  KOBJ.errorstack_log = function (key, message) {
    return !!key && guarded(function () {
      return send("/log", key, told([["_msg", message]]));
    });
  };
})(KOBJ);
