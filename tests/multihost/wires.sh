#!/usr/bin/env bash
# What becomes of a job when wires between its hosts are slow, cut for a while, cut for good in one direction or in both,
# and when hosts vanish. Hosts are network namespaces, see hosts.sh.
#   wires.sh BIN PROGRAM      exit status 77: skipped, with the reason
set -euo pipefail

bin=$1
program=$2
# shellcheck source=tests/multihost/hosts.sh
source "$(dirname "${BASH_SOURCE[0]}")/hosts.sh"
# Connections break after 3 s of silence, processes that cannot reach each other are lost 4 s later.
export TWINKLE_WIRE_LIMITS=1,2,4

cut_a_b() { mute a 3 && mute b 2; }
mend_a_b() { unmute a 3 && unmute b 2; }

check_delay() {
  in_host b tc qdisc add dev eth0 root netem delay 10ms 2>"$cluster/why.log" || {
    echo "no delay: $(cat "$cluster/why.log")"
    return
  }
  await_more_ticks 10
  in_host b tc qdisc del dev eth0 root
  echo "a slow wire: work goes on"
}

# Shorter than the kernels' limit, and longer, so that the connections break and are made again.
check_short_cuts() {
  local seconds
  for seconds in 2 5; do
    cut_a_b
    sleep "$seconds"
    mend_a_b
    await_more_ticks 10
    kill -0 "$running" 2>/dev/null || fail "the program has ended"
    echo "a wire that was cut for $seconds s: work goes on, nothing is lost"
  done
}

check_one_way() {
  mute a 3
  ends_within 30 "cannot reach each other|has said nothing|counts as lost"
  unmute a 3
  await no_job_is_left
  echo "a wire that is open in one direction only: both sides were told, and nothing of the job is left"
}

check_vanished_node() {
  start_program a
  vanish b
  ends_within 30 "gone|has said nothing"
  await no_job_is_left
  come_back b
  await has_joined_again b
  echo "a host that vanished: the program was told"
}

check_vanished_program() {
  start_program p
  vanish p
  await no_job_is_left
  come_back p
  ends_within 30 "gone|has said nothing|counts as lost"
  echo "a program whose host vanished: its job has ended, and when it was back it was told"
}

cp "$program" "$cluster/program"
program="$cluster/program"
make_hosts driver a b p
start_driver
start_node a 2 2
start_node b 3 2
start_program a
check_delay
check_short_cuts
check_one_way
check_vanished_node
check_vanished_program
echo "passed"
