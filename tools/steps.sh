# Sourced by the scripts beside it: runs steps and prints a line for each, with its time.

# Where a step's output goes; shown when the step fails.
step_log=${step_log:-$(mktemp "${TMPDIR:-/tmp}/tidemark-steps.XXXXXX")}

# seconds_since START: the time since START (an $EPOCHREALTIME), with one decimal.
seconds_since() {
    local now=${EPOCHREALTIME/[.,]/} start=${1/[.,]/}
    local tenths=$(((now - start + 50000) / 100000))
    printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

# say WHAT [START]: one line, with the time since START at its end.
say() {
    if [ $# -gt 1 ]; then
        printf '%-66s %7s s\n' "$1" "$(seconds_since "$2")"
    else
        printf '%s\n' "$1"
    fi
}

# step WHAT COMMAND…: runs the command quietly and says what was done; on failure shows its output and fails.
step() {
    local what=$1 start=$EPOCHREALTIME status=0
    shift
    "$@" >"$step_log" 2>&1 || status=$?
    if [ "$status" -ne 0 ]; then
        say "FAILED: $what" "$start"
        tail -n 60 "$step_log"
        return "$status"
    fi
    say "$what" "$start"
}
