# Functions for shell scripts (POSIX sh, with curl):  . errorstack.sh
#
#   errorstack_submit MESSAGE [NAME=VALUE…]   sends an error
#   errorstack_log MESSAGE                    sends a log message: the last ten go with the next error
#   errorstack_watch                          from here on, a script that fails says so
#
# Settings, in the environment: ERRORSTACK_KEY, ERRORSTACK_URL, and if wanted ERRORSTACK_RELEASE,
# ERRORSTACK_ENVIRONMENT, ERRORSTACK_PER_MINUTE (60). A function errorstack_scrub NAME VALUE, where
# there is one, prints the value to send instead. Requests go out in the background; nothing here
# fails, waits or prints.

errorstack_submit() {
    _es_allowed "$*" || return 0
    _es_message=$1
    shift
    _es_id=$(od -An -N16 -tx1 /dev/urandom 2>/dev/null | tr -d ' \n')
    set -- "Msg=$_es_message" "$@" "host=$(uname -n)" "File=$0"
    [ -z "${ERRORSTACK_RELEASE:-}" ] || set -- "$@" "release=$ERRORSTACK_RELEASE"
    [ -z "${ERRORSTACK_ENVIRONMENT:-}" ] || set -- "$@" "environment=$ERRORSTACK_ENVIRONMENT"
    [ "${_es_held:-0}" = 0 ] || set -- "$@" "NotSent=$_es_held"
    _es_held=0
    _es_send /submit 4 "$@" "_id=$_es_id"
}

errorstack_log() {
    _es_send /log 0 "_msg=$1" # a log message has no _id: a second try could double it
}

# Of bash it tells the command and the line as well.
errorstack_watch() {
    trap '_es_ended $?' EXIT
    [ -z "${BASH_VERSION:-}" ] || eval 'trap '\''_es_command=$BASH_COMMAND _es_line=$LINENO'\'' ERR; set -E'
}

_es_ended() {
    [ "$1" = 0 ] && return 0
    set -- "$(basename -- "$0") ended with $1" "level=fatal" "exit=$1"
    [ -z "${_es_command:-}" ] || set -- "$@" "command=$_es_command" "Line=$_es_line"
    _es_now=1
    errorstack_submit "$@"
}

# What was just sent is not sent again, and no more than so many a minute.
_es_allowed() {
    _es_minute_now=$(($(date +%s) / 60))
    [ "$_es_minute_now" = "${_es_minute:-}" ] || _es_minute=$_es_minute_now _es_count=0 _es_last=
    if [ "$1" = "${_es_last:-}" ] || [ "${_es_count:-0}" -ge "${ERRORSTACK_PER_MINUTE:-60}" ]; then
        _es_held=$((${_es_held:-0} + 1))
        return 1
    fi
    _es_last=$1 _es_count=$((${_es_count:-0} + 1))
}

# PATH TRIES NAME=VALUE…
_es_send() {
    [ -n "${ERRORSTACK_KEY:-}" ] && [ -n "${ERRORSTACK_URL:-}" ] || return 0
    _es_path=$1 _es_tries=$2
    shift 2
    _es_left=$#
    while [ "$_es_left" -gt 0 ]; do # each argument becomes two, at the end
        _es_name=${1%%=*} _es_value=${1#*=}
        case $_es_name in
        _*) ;;
        *) ! command -v errorstack_scrub >/dev/null 2>&1 ||
            _es_value=$(errorstack_scrub "$_es_name" "$_es_value") ;;
        esac
        set -- "$@" --data-urlencode "$_es_name=$_es_value"
        shift
        _es_left=$((_es_left - 1))
    done
    set -- curl --silent --max-time 3 --data-urlencode "_s=$ERRORSTACK_KEY" -d _r=json "$@" \
        "${ERRORSTACK_URL%/}$_es_path"
    if [ -n "${_es_now:-}" ]; then # the script ends: one try, three seconds at most
        "$@" >/dev/null 2>&1 </dev/null || :
    else
        ("$@" --retry "$_es_tries" --retry-connrefused --retry-max-time 60 >/dev/null 2>&1 </dev/null &)
    fi
    return 0
}
