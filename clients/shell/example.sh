#!/bin/sh
# Sends one of each: ERRORSTACK_URL=http://127.0.0.1:8700 ERRORSTACK_KEY=KEY sh example.sh
. "$(dirname -- "$0")/errorstack.sh"

errorstack_watch
errorstack_log "the example begins"
errorstack_submit "disk is nearly full" level=warning used=93%
false || exit 3
