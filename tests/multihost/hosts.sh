# shellcheck shell=bash
# Hosts as network namespaces, joined by veth pairs to a bridge in a namespace of its own, and a cluster on them. To be
# sourced by a script with `set -euo pipefail` that has set `bin`, the folder of the services, and, where it starts one,
# `program`. Host number N of make_hosts
# has the address 10.77.0.N; all that was started ends with the script.
mark="tw$$"
cluster=$(mktemp -d)
export TMPDIR="$cluster"
processes=()
hosts=()

in_host() { ip netns exec "$mark-$1" "${@:2}"; }
skip() { echo "skipped: $1"; exit 77; }
fail() { echo "FAILED: $1"; tail -n 50 "$cluster"/*.log; exit 1; }

clean_up() {
  local pid host
  for pid in "${processes[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${processes[@]}"; do wait "$pid" 2>/dev/null || true; done
  for host in "${hosts[@]}" net; do ip netns delete "$mark-$host" 2>/dev/null || true; done
  rm -rf "$cluster"
}
trap clean_up EXIT

await() {
  local i
  for ((i = 0; i < 400; ++i)); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.05
  done
  fail "this did not come true: $*"
}

# Bytes that have come into a host, gone out of it, and both.
received() { in_host "$1" cat /sys/class/net/eth0/statistics/rx_bytes; }
sent() { in_host "$1" cat /sys/class/net/eth0/statistics/tx_bytes; }
traffic() { echo $(($(received "$1") + $(sent "$1"))); }

make_hosts() {
  local number=1 host
  hosts=("$@")
  command -v ip >/dev/null || skip "there is no command ip (Debian's iproute2)"
  ip netns add "$mark-net" 2>"$cluster/why.log" || skip "network namespaces are not allowed here: $(cat "$cluster/why.log")"
  in_host net ip link add bridge type bridge 2>"$cluster/why.log" || skip "no bridge: $(cat "$cluster/why.log")"
  in_host net ip link set bridge up
  for host in "${hosts[@]}"; do
    ip netns add "$mark-$host"
    in_host net ip link add "to-$host" type veth peer name eth0 netns "$mark-$host" || skip "no veth pairs"
    in_host net ip link set "to-$host" master bridge up
    in_host "$host" ip address add "10.77.0.$number/24" dev eth0
    in_host "$host" ip link set eth0 up
    in_host "$host" ip link set lo up
    number=$((number + 1))
  done
}

# On the first host.
start_driver() {
  export TWINKLE_TOKEN_FILE="$cluster/token"
  # Not by in_host: a function in the background would be a shell of its own, and its number not the service's.
  ip netns exec "$mark-${hosts[0]}" "$bin/twinkle-driver" --listen 10.77.0.1:0 --insecure-network \
    --port-file "$cluster/port" >"$cluster/driver.log" 2>&1 &
  processes+=($!)
  await test -s "$cluster/port"
  TWINKLE_DRIVER="10.77.0.1:$(cat "$cluster/port")"
  export TWINKLE_DRIVER
}

# HOST NUMBER CPUS [COMMAND...]: a node daemon there, started by the command; `node` is its number.
start_node() {
  ip netns exec "$mark-$1" "${@:4}" "$bin/twinkle-worker" --node-name "$1" --host "10.77.0.$2" --cpus "$3" --allow-root \
    >"$cluster/$1.log" 2>&1 &
  node=$!
  processes+=("$node")
  await grep -q "has joined" "$cluster/$1.log"
}

# ---- what befalls wires and hosts
# A wrong address of the other's card: what host $1 sends to host number $2 goes nowhere, and nobody is told.
mute() { in_host "$1" ip neigh replace "10.77.0.$2" lladdr 02:00:00:00:00:77 nud permanent dev eth0; }
unmute() { in_host "$1" ip neigh del "10.77.0.$2" dev eth0; }
vanish() { in_host net ip link set "to-$1" down; }
come_back() { in_host net ip link set "to-$1" up; }

# ---- a program that ticks as long as it is well
ticks() { grep -c TICK "$cluster/program.log" || true; }
has_ticked() { (($(ticks) >= $1)); }
await_more_ticks() { await has_ticked $(($(ticks) + $1)); }

# On host $1.
start_program() {
  rm -f "$cluster/end" "$cluster/program.log"
  ip netns exec "$mark-$1" "$program" --program ticks "$cluster/end" >"$cluster/program.log" 2>&1 &
  running=$!
  processes+=("$running")
  await has_ticked 3
}
# The program ends by itself within $1 seconds, and says $2.
ends_within() {
  local limit=$((SECONDS + $1)) status=0
  while kill -0 "$running" 2>/dev/null; do
    ((SECONDS < limit)) || fail "the program was not told within $1 s"
    sleep 0.1
  done
  wait "$running" || status=$?
  ((status == 1)) || fail "the program ended with $status"
  grep -Eq "$2" "$cluster/program.log" || fail "the program was told something else"
}
has_joined_again() { (($(grep -c "has joined" "$cluster/$1.log") >= 2)); }
no_job_is_left() { in_host driver "$bin/twinkle" status | grep -q "no jobs"; }
