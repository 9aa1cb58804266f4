/* What a page loads: <script src="https://your.server/beacon.js" data-stack="KEY" async></script> */
import { start } from "./core.js";

(function (window, document) {
  var own = window.ErrorStack || {}; // what the page chose before: {scrub: …, fields: …}
  var script = document.currentScript || document.querySelector("script[data-stack],script[src*='_s=']");
  if (own.submit || !script) return;
  var src = script.src || "";

  function chosen(attribute, name) {
    return own[name] = script.getAttribute("data-" + attribute) || own[name];
  }

  chosen("stack", "key") || (own.key = decodeURIComponent((/[?&]_s=([^&#]*)/.exec(src) || ["", ""])[1]));
  // Beside the script itself, so that another origin or path prefix needs no setting.
  chosen("endpoint", "endpoint") || (own.endpoint = src.split(/[?#]/)[0].replace(/\/(beacon\/)?[^/]*$/, ""));
  chosen("release", "release");
  chosen("environment", "environment");
  chosen("console", "console");
  window.ErrorStack = start(window, own);
})(window, document);
