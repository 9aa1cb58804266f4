ruleset com.errorstack.client {
  meta {
    name "ErrorStack"
    version "0.1.0"
    description <<
Sends errors and log messages to an ErrorStack server. The pico does not wait for it: an action hands the
message to this ruleset's own rules, which keep at most 50 until the server has them.
>>
    provides submit, log
    shares status
    configure using
      key = ""
      endpoint = ""
      release = null
      environment = null
      fields = {}
      scrub = null
  }

  global {
    MAX_TRIES = 5
    MAX_TEXT_CHARS = 32768
    MAX_DEPTH = 4
    DEDUPE_S = 10

    text = function(value) {
      value.typeof() == "Map" || value.typeof() == "Array" => value.encode() | value.as("String")
    }

    named = function(done, name, value, depth) {
      value.isnull() => done
        | (value.typeof() == "Map" && depth < MAX_DEPTH) => value.keys().reduce(
            function(sofar, inner) { named(sofar, name + "." + inner, value{[inner]}, depth + 1) }, done)
        | done.put([name], text(value).substr(0, MAX_TEXT_CHARS))
    }

    // Nested values as names with dots, which the server's queries understand.
    flat = function(said) {
      said.keys().reduce(function(done, name) { named(done, name, said{[name]}, 0) }, {})
    }

    // What is sent, after the hook; null when it wants nothing sent.
    kept = function(said) {
      form = flat(said)
      scrubbed = scrub => scrub(form) | form
      scrubbed.isnull() => null | flat(scrubbed)
    }

    address = function(text) {
      whole = text.replace(re#/+$#, "").replace(re#/submit$#, "")
      whole.match(re#^https?://.#) => whole | ""
    }

    tagged = function(tag) {
      ctx:channels.filter(function(channel) { channel{"tags"} >< tag }).head(){"id"}
    }

    attributes = function(path, form) {
      eci = tagged("self") // which only the pico itself may use
      key && address(endpoint) && eci && form => {
        "eci": eci,
        "domain": "errorstack",
        "name": "said",
        "attrs": {"path": path, "form": form, "key": key, "url": address(endpoint) + path}
      } | null
    }

    seconds = function() {
      time:strftime(time:now(), "%s").as("Number")
    }

    in_seconds = function(wait_s) {
      time:add(time:now(), {"seconds": wait_s})
    }

    // What the ruleset may be installed with.
    chosen = function(name, otherwise) {
      meta:rulesetConfig.defaultsTo({}){[name]}.defaultsTo(otherwise)
    }

    max_queue = function() { chosen("max_queue", 50) }

    per_minute = function() { chosen("per_minute", 120) }

    retry_s = function() { chosen("retry_s", 30) }

    counted = function(counts, reason) {
      counts.defaultsTo({}).put(reason, counts.defaultsTo({}){reason}.defaultsTo(0) + 1)
    }

    told = function(counts) {
      counts.keys().reduce(function(form, reason) {
        form.put(["dropped_" + reason], counts{reason})
      }, {})
    }

    // The newest of what waits, with room for one more.
    roomy = function(waiting) {
      ids = waiting.keys()
      ids.length() < max_queue() => waiting | waiting.delete([ids.head()])
    }

    // Send an error: what happened, as a text, and fields of your own, as a map. It names the rule's
    // ruleset and rule when you hand them over: {"RuleID": meta:rid, "RuleName": meta:ruleName}.
    submit = defaction(message, more = {}) {
      form = kept(fields.put({"release": release, "environment": environment, "Platform": "pico-engine"})
        .put(more.defaultsTo({})).put("Msg", message))
      attrs = attributes("/submit", form)
      if attrs then event:send(attrs, null)
    }

    // Send a log message; the last ten are shown with the errors that follow.
    log = defaction(message) {
      attrs = attributes("/log", kept({"_msg": message}))
      if attrs then event:send(attrs, null)
    }

    // How many messages wait, and what was not sent, by reason.
    status = function() {
      {"waiting": ent:waiting.defaultsTo({}).length(), "dropped": ent:dropped.defaultsTo({})}
    }
  }

  // Answers come back through a channel of their own, which lets nothing else in.
  rule open {
    select when errorstack said
    if tagged("errorstack").isnull() then
      ctx:newChannel(["errorstack"], {"allow": [{"domain": "errorstack", "name": "answered"}], "deny": []},
        {"allow": [], "deny": [{"rid": "*", "name": "*"}]})
  }

  rule keep {
    select when errorstack said
    pre {
      path = event:attrs{"path"}
      form = event:attrs{"form"}
      is_error = path == "/submit"
      now_s = seconds()
      minute = math:floor(now_s / 60)
      counts = ent:minute == minute => ent:counts | {}
      seen = ent:seen.defaultsTo({}).filter(function(at_s) { now_s - at_s < DEDUPE_S })
      print = math:hash("sha256", path + form.encode())
      refusal = (is_error && seen.keys() >< print) => "repeat"
        | counts{[path]}.defaultsTo(0) >= per_minute() => "limit"
        | null
      id = random:uuid()
      more = is_error => told(ent:dropped.defaultsTo({})).put("occurred_at", time:now()) | {}
      own = {"_s": event:attrs{"key"}, "_r": "json", "_id": id}
      is_full = ent:waiting.defaultsTo({}).length() >= max_queue()
    }
    if refusal.isnull() then noop()
    fired {
      ent:minute := minute
      ent:counts := counts.put([path], counts{[path]}.defaultsTo(0) + 1)
      ent:seen := seen.put([print], now_s)
      ent:dropped := {} if is_error
      ent:dropped := counted(ent:dropped, "queue") if is_full
      ent:waiting := roomy(ent:waiting.defaultsTo({})).put([id], {
        "url": event:attrs{"url"}, "form": own.put(form).put(more).put(own), "is_error": is_error,
        "tries": 0, "not_before_s": 0
      })
      raise errorstack event "due" attributes {"id": id}
    } else {
      ent:dropped := counted(ent:dropped, refusal)
    }
  }

  // Post what is due, without waiting for the answer. An error is posted again, with the same id, until an
  // answer says that it is stored: also where none ever came. A log message has no id that keeps a second
  // copy out, and is posted once.
  rule post {
    select when errorstack due
    pre {
      id = event:attrs{"id"}
      item = ent:waiting.defaultsTo({}){[id]}
      tries = item{"tries"}.defaultsTo(0) + 1
      is_early = item && item{"not_before_s"} > seconds()
      answer = {"eci": tagged("errorstack"), "domain": "errorstack", "name": "answered", "time": 0,
        "data": {"attrs": {"id": id}}}
    }
    if item && not is_early && tries <= MAX_TRIES then
      http:post(item{"url"}, form = item{"form"}, autosend = answer, dontFollowRedirect = true)
    fired {
      ent:waiting := item{"is_error"}
        => ent:waiting.put([id, "tries"], tries)
         | ent:waiting.delete([id])
      schedule errorstack event "due" at in_seconds(retry_s() * tries) attributes {"id": id} if item{"is_error"}
    } else {
      ent:dropped := counted(ent:dropped, "unsent") if item && not is_early
      ent:waiting := ent:waiting.delete([id]) if item && not is_early
      schedule errorstack event "due" at in_seconds(item{"not_before_s"} - seconds() + 1) attributes {"id": id}
        if is_early
    }
  }

  rule settle {
    select when errorstack answered
    pre {
      id = event:attrs{"id"}
      status = event:attrs{"status_code"}
      said = event:attrs{"content"}.decode()
      is_ours = said.typeof() == "Map" && said.keys() >< "success"
      is_stored = status == 200 && is_ours && said{"success"} == true
      is_later = status == 408 || status == 425 || status == 429 || status >= 500
      is_over = is_stored || (status < 300 && is_ours) || (status >= 300 && not is_later)
      asked_s = event:attrs{"headers"}{"retry-after"}.defaultsTo("0").as("Number").defaultsTo(0)
      is_known = ent:waiting.defaultsTo({}).keys() >< id
    }
    if is_known then noop()
    fired {
      ent:dropped := counted(ent:dropped, "refused") if is_over && not is_stored
      ent:waiting := is_over
        => ent:waiting.delete([id])
         | ent:waiting.put([id, "not_before_s"], seconds() + (asked_s > 600 => 600 | asked_s))
    }
  }
}
