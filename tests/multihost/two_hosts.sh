#!/usr/bin/env bash
# Hosts as network namespaces, joined by veth pairs to a bridge in a namespace of its own: a driver on one, node daemons on
# two others, a program beside the first. Results go from host to host; nothing of them passes through the driver's.
#   two_hosts.sh BIN PROGRAM      exit status 77: skipped, with the reason
set -euo pipefail

bin=$1
program=$2
mark="tw$$"
cluster=$(mktemp -d)
processes=()

in_host() { ip netns exec "$mark-$1" "${@:2}"; }
skip() { echo "skipped: $1"; exit 77; }
fail() { echo "FAILED: $1"; tail -n 50 "$cluster"/*.log; exit 1; }

clean_up() {
  local pid host
  for pid in "${processes[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${processes[@]}"; do wait "$pid" 2>/dev/null || true; done
  for host in driver a b net; do ip netns delete "$mark-$host" 2>/dev/null || true; done
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

# Bytes that have gone in and out of a host.
traffic() { in_host "$1" cat /sys/class/net/eth0/statistics/rx_bytes /sys/class/net/eth0/statistics/tx_bytes |
  awk '{ sum += $1 } END { print sum }'; }

make_hosts() {
  local number=1 host
  command -v ip >/dev/null || skip "there is no command ip (Debian's iproute2)"
  ip netns add "$mark-net" 2>"$cluster/why.log" || skip "network namespaces are not allowed here: $(cat "$cluster/why.log")"
  in_host net ip link add bridge type bridge 2>"$cluster/why.log" || skip "no bridge: $(cat "$cluster/why.log")"
  in_host net ip link set bridge up
  for host in driver a b; do
    ip netns add "$mark-$host"
    in_host net ip link add "to-$host" type veth peer name eth0 netns "$mark-$host" || skip "no veth pairs"
    in_host net ip link set "to-$host" master bridge up
    in_host "$host" ip address add "10.77.0.$number/24" dev eth0
    in_host "$host" ip link set eth0 up
    in_host "$host" ip link set lo up
    number=$((number + 1))
  done
}

start_cluster() {
  export TWINKLE_TOKEN_FILE="$cluster/token"
  # Not by in_host: a function in the background would be a shell of its own, and its number not the service's.
  ip netns exec "$mark-driver" "$bin/twinkle-driver" --listen 10.77.0.1:0 --insecure-network --port-file "$cluster/port" \
    >"$cluster/driver.log" 2>&1 &
  processes+=($!)
  await test -s "$cluster/port"
  TWINKLE_DRIVER="10.77.0.1:$(cat "$cluster/port")"
  export TWINKLE_DRIVER
  ip netns exec "$mark-a" "$bin/twinkle-worker" --node-name a --host 10.77.0.2 --cpus 2 >"$cluster/a.log" 2>&1 &
  processes+=($!)
  # Host b has another file where the program is: it brings the right one from host a.
  # shellcheck disable=SC2016
  ip netns exec "$mark-b" bash -c 'mount --bind /bin/true "$1" && shift && exec "$@"' b "$program" \
    "$bin/twinkle-worker" --node-name b --host 10.77.0.3 --cpus 2 >"$cluster/b.log" 2>&1 &
  processes+=($!)
  node_b=$!
  await grep -q "has joined" "$cluster/a.log"
  await grep -q "has joined" "$cluster/b.log"
}

# 64 MiB from the ranks on one host to those on the other.
check_traffic() {
  local driver_before a_before
  driver_before=$(traffic driver)
  a_before=$(traffic a)
  in_host a "$program" --program spread >"$cluster/program.log" 2>&1 || fail "the program ended with $?"
  grep -q "total 16777216 on a, a -> b, b" "$cluster/program.log" || fail "the program printed something else"
  grep -q "file: shipped" "$cluster/program.log" || fail "the job's file was not there"
  local driver_bytes=$(($(traffic driver) - driver_before)) a_bytes=$(($(traffic a) - a_before))
  echo "bytes through the driver's host: $driver_bytes; through host a: $a_bytes"
  ((driver_bytes < 1000000)) || fail "results went through the driver's host"
  ((a_bytes > 64 << 20)) || fail "no results left host a"
}

check_death() {
  ip netns exec "$mark-a" "$program" --program spread-and-wait >"$cluster/waiting.log" 2>&1 &
  local waiting=$!
  processes+=("$waiting")
  await grep -q "WAITING" "$cluster/waiting.log"
  kill -KILL "$node_b"
  local status=0
  wait "$waiting" || status=$?
  ((status == 1)) || fail "the program ended with $status"
  grep -q "node 'b', which is gone" "$cluster/waiting.log" || fail "the program was told something else"
  echo "the end of host b's node daemon was told"
  await no_folders
  echo "nothing is left of the job's files"
}

cp "$program" "$cluster/program"
echo shipped >"$cluster/program.txt"
program="$cluster/program"
no_folders() { ! compgen -G "$TMPDIR/twinkle-job-*"; }
export TMPDIR="$cluster"
make_hosts
start_cluster
check_traffic
check_death
echo "passed"
