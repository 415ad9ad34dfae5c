#!/usr/bin/env bash
# Hosts as network namespaces, joined by veth pairs to a bridge in a namespace of its own: a driver on one, node daemons on
# two others, a program beside the first. Results go from host to host; nothing of them passes through the driver's.
#   two_hosts.sh BIN PROGRAM      exit status 77: skipped, with the reason
set -euo pipefail

bin=$1
program=$2
# shellcheck source=tests/multihost/hosts.sh
source "$(dirname "${BASH_SOURCE[0]}")/hosts.sh"

# 64 MiB that the ranks on one host have go to all of those on the other: once.
check_traffic() {
  local driver_before a_before b_before
  driver_before=$(traffic driver)
  a_before=$(sent a)
  b_before=$(received b)
  in_host a "$program" --program spread none >"$cluster/program.log" 2>&1 || fail "the program ended with $?"
  grep -q "total 16777216 on a, a -> b, b" "$cluster/program.log" || fail "the program printed something else"
  grep -q "file: shipped" "$cluster/program.log" || fail "the job's file was not there"
  local driver_bytes=$(($(traffic driver) - driver_before)) a_bytes=$(($(sent a) - a_before))
  local b_bytes=$(($(received b) - b_before))
  echo "bytes through the driver's host: $driver_bytes; out of host a: $a_bytes; into host b: $b_bytes"
  ((driver_bytes < 1000000)) || fail "results went through the driver's host"
  ((a_bytes > 64 << 20)) || fail "no results left host a"
  # The program's file is also brought from a to b.
  local most=$(((64 << 20) * 103 / 100 + $(stat -c %s "$program")))
  ((b_bytes < most)) || fail "more came to host b than it needed: once the result, and the program's file"
}

# The same, compressed.
check_compression() {
  local b_before
  b_before=$(received b)
  in_host a "$program" --program spread zstd >"$cluster/program.log" 2>&1 || fail "the program ended with $?"
  grep -q "total 16777216 on a, a -> b, b" "$cluster/program.log" || fail "the program printed something else"
  local b_bytes=$(($(received b) - b_before))
  echo "compressed, into host b: $b_bytes"
  ((b_bytes < (8 << 20) + $(stat -c %s "$program"))) || fail "it was not compressed"
}

# A job that is on one host alone is found from the other.
check_find() {
  ip netns exec "$mark-a" "$program" --program keeper >"$cluster/keeper.log" 2>&1 &
  local keeper=$!
  processes+=("$keeper")
  await grep -q "KEEPING" "$cluster/keeper.log"
  ip netns exec "$mark-b" "$program" --program finder >"$cluster/finder.log" 2>&1 &
  processes+=("$!")
  await grep -Eq "FOUND|FAILED" "$cluster/finder.log"
  grep -q "FOUND" "$cluster/finder.log" || fail "a component on one host was not found from the other"
  kill "$keeper"
  await grep -q "then:" "$cluster/finder.log"
  echo "a component of a job on one host was found from the other"
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

# A node daemon that is root and knows its driver by a loopback address, where others reach the driver, too.
check_root() {
  (($(id -u) == 0)) || return 0
  ip netns exec "$mark-driver" env TWINKLE_TOKEN_FILE="$cluster/open-token" "$bin/twinkle-driver" --listen 0.0.0.0:0 \
    --insecure-network --port-file "$cluster/open-port" >"$cluster/open-driver.log" 2>&1 &
  processes+=($!)
  await test -s "$cluster/open-port"
  local port own=(env "TWINKLE_TOKEN_FILE=$cluster/open-token" TWINKLE_DRIVER=)
  port=$(cat "$cluster/open-port")
  ip netns exec "$mark-driver" "${own[@]}" "$bin/twinkle-worker" --driver "127.0.0.1:$port" --node-name root --cpus 3 \
    >"$cluster/root.log" 2>&1 &
  processes+=($!)
  await grep -q "has joined" "$cluster/root.log"
  local status=0
  in_host a "${own[@]}" TWINKLE_DRIVER="10.77.0.1:$port" "$program" --program keeper >"$cluster/refused.log" 2>&1 || status=$?
  ((status != 0)) || fail "a program of another machine ran as root"
  grep -q "runs on another machine (host '.*--allow-root" "$cluster/refused.log" || fail "it was refused in other words"
  echo "a program of another machine does not run as root"
}

cp "$program" "$cluster/program"
echo shipped >"$cluster/program.txt"
program="$cluster/program"
no_folders() { ! compgen -G "$TMPDIR/twinkle-job-*"; }
make_hosts driver a b
start_driver
start_node a 2 2
# Host b has another file where the program is: it brings the right one from host a.
# shellcheck disable=SC2016
start_node b 3 2 bash -c 'mount --bind /bin/true "$1" && shift && exec "$@"' b "$program"
node_b=$node
check_traffic
check_compression
check_find
check_death
check_root
echo "passed"
