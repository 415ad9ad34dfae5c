# shellcheck shell=bash
# Hosts as network namespaces, joined by veth pairs to a bridge in a namespace of its own, and a cluster on them. To be
# sourced by a script with `set -euo pipefail` that has set `bin`, the folder of the services. Host number N of make_hosts
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
