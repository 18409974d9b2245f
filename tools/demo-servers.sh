# Sourced by tools/demo: starts the servers of the demo and stops exactly those.

# Ids of the processes that were started, to be stopped at the end.
started=()
# True when the database lies in a server of somebody else's.
database_is_guest=false

# free_ports N: ports on loopback that nobody listens on, a line each.
free_ports() {
    python3 - "$1" <<'PYTHON'
import socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for one in sockets: one.bind(("127.0.0.1", 0))
for one in sockets: print(one.getsockname()[1])
PYTHON
}

# wait_for WHAT LOG COMMAND…: until the command succeeds, at most a minute; then shows the log and fails.
wait_for() {
    local what=$1 log=$2 attempt
    shift 2
    for ((attempt = 0; attempt < 600; attempt++)); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.1
    done
    echo "FAILED: $what did not come up within a minute; it said:" >&2
    tail -n 40 "$log" >&2
    return 1
}

# pause SECONDS: a sleep that a signal ends at once.
pause() {
    sleep "$1" &
    started+=("$!")
    wait "$!"
    forget "$!"
}

# query SQL: asks ClickHouse; the password is kept out of the process list.
query() {
    local user=${CLICKHOUSE_USER:-default} password=${CLICKHOUSE_PASSWORD:-}
    user=${user//\\/\\\\} password=${password//\\/\\\\}
    printf 'header = "X-ClickHouse-User: %s"\nheader = "X-ClickHouse-Key: %s"\n' "${user//\"/\\\"}" "${password//\"/\\\"}" |
        curl -sS --fail-with-body --config - "$clickhouse_url/" --data-binary "$1"
}

start_broker() {
    "$1" dev --topics "$2" >"$directory/broker.out" 2>"$directory/broker.log" &
    started+=("$!")
    wait_for "the broker" "$directory/broker.log" grep -q '^ready ' "$directory/broker.out"
    brokers=$(sed -n 's/^ready //p' "$directory/broker.out")
}

# start_clickhouse HTTP_PORT TCP_PORT: sets clickhouse_url.
start_clickhouse() {
    if [ -n "${CLICKHOUSE_URL:-}" ]; then
        clickhouse_url=${CLICKHOUSE_URL%/}
        database_is_guest=true
        if ! query "SELECT 1" >/dev/null; then
            echo "FAILED: the ClickHouse at \$CLICKHOUSE_URL ($clickhouse_url) can't be asked; see to it, \$CLICKHOUSE_USER and \$CLICKHOUSE_PASSWORD" >&2
            return 1
        fi
        return
    fi
    local root=yandex command=(/usr/sbin/clickhouse-server)
    if command -v clickhouse >/dev/null; then
        root=clickhouse
        command=(clickhouse server)
    fi
    mkdir -p "$directory/clickhouse/data" "$directory/clickhouse/tmp"
    cat >"$directory/clickhouse/config.xml" <<XML
<$root>
    <logger><level>warning</level><console>1</console></logger>
    <http_port>$1</http_port><tcp_port>$2</tcp_port><listen_host>127.0.0.1</listen_host>
    <path>$directory/clickhouse/data/</path><tmp_path>$directory/clickhouse/tmp/</tmp_path>
    <users_config>users.xml</users_config><default_profile>default</default_profile>
    <default_database>default</default_database><mark_cache_size>67108864</mark_cache_size><timezone>UTC</timezone>
</$root>
XML
    cat >"$directory/clickhouse/users.xml" <<XML
<$root>
    <profiles><default></default></profiles><quotas><default></default></quotas>
    <users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users>
</$root>
XML
    (cd "$directory/clickhouse" && exec "${command[@]}" --config-file="$directory/clickhouse/config.xml") >"$directory/clickhouse.log" 2>&1 &
    started+=("$!")
    clickhouse_url=http://127.0.0.1:$1
    wait_for "ClickHouse" "$directory/clickhouse.log" curl -sf "$clickhouse_url/ping"
}

# start_worker: sets worker; returns when it processes records.
start_worker() {
    "$tidemark" run --config "$directory/fintech.yaml" 2>>"$directory/worker.log" &
    worker=$!
    started+=("$worker")
    wait_for "the worker" "$directory/worker.log" curl -sf "$page/readyz"
}

# kill_worker: SIGKILL, as a crash of the machine would have it.
kill_worker() {
    kill -KILL "$worker"
    wait "$worker" 2>/dev/null || true
    forget "$worker"
}

# stop_worker: lets it drain; what drain.timeout leaves in the outbox (exit code 3) leaves with the next start.
stop_worker() {
    local status=0
    kill -TERM "$worker"
    wait "$worker" || status=$?
    forget "$worker"
    [ "$status" -eq 0 ] || [ "$status" -eq 3 ]
}

# forget PROCESS: it has ended, so its id may soon be another's.
forget() {
    local process left=()
    for process in "${started[@]}"; do
        if [ "$process" != "$1" ]; then left+=("$process"); fi
    done
    started=("${left[@]}")
}

# clean_up STATUS: stops what was started, the last first, and removes its files; with --keep only after a failure.
clean_up() {
    local status=$1 process attempt
    rm -f "$step_log"
    if $keep && [ "$status" -eq 0 ]; then return; fi
    if $database_is_guest; then query "DROP DATABASE IF EXISTS $database" || true; fi
    for process in $(printf '%s\n' "${started[@]}" | tac); do
        if ! kill -TERM "$process" 2>/dev/null; then continue; fi
        for ((attempt = 0; attempt < 100; attempt++)); do
            if ! kill -0 "$process" 2>/dev/null; then break; fi
            sleep 0.1
        done
        kill -KILL "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    if [ "$status" -ne 0 ] && [ -s "$directory/worker.log" ]; then
        echo "the worker's last words:" >&2
        tail -n 20 "$directory/worker.log" >&2
    fi
    rm -rf "$directory"
}
