#!/usr/bin/env bash
# What becomes of a job when the wire from its driver to its program, or to one of its nodes, is cut in both directions or
# in one, when the connection over it is reset, or one end has forgotten it, and when the driver's host vanishes. Such a
# connection is not made again: within seconds each side hears that it has lost the other, and why. Hosts are network
# namespaces, see hosts.sh.
#   driver_wires.sh BIN PROGRAM      exit status 77: skipped, with the reason
set -euo pipefail

bin=$1
program=$2
# shellcheck source=tests/multihost/hosts.sh
source "$(dirname "${BASH_SOURCE[0]}")/hosts.sh"
# Connections break after 3 s of silence.
export TWINKLE_WIRE_LIMITS=1,2,4

declare -A number=([driver]=1 [a]=2 [b]=3 [p]=4)

# The driver's end of its connections with host $1 is closed, and the other end told so.
reset_by_driver() { in_host driver ss -K dst "10.77.0.${number[$1]}" >"$cluster/why.log" 2>&1; }

# What befalls the wire between the driver and host $2: one of `ways`.
ways=(cut deaf_driver mute_driver reset half_open)
break_wire() {
  case $1 in
  cut) mute "$2" 1 && mute driver "${number[$2]}" ;;
  deaf_driver) mute "$2" 1 ;;
  mute_driver) mute driver "${number[$2]}" ;;
  reset) reset_by_driver "$2" ;;
  half_open) mute driver "${number[$2]}" && reset_by_driver "$2" && unmute driver "${number[$2]}" ;;
  esac
}
mend_wire() {
  case $1 in
  cut) unmute "$2" 1 && unmute driver "${number[$2]}" ;;
  deaf_driver) unmute "$2" 1 ;;
  mute_driver) unmute driver "${number[$2]}" ;;
  esac
}
# What is said of the connection then. A driver that hears nothing may give up first, and say so.
silent="the other machine is silent"
broken="the other side reset the connection"
declare -A why=([cut]=$silent [deaf_driver]="$silent|$broken" [mute_driver]=$silent [reset]=$broken
  [half_open]="$broken|$silent")

# What the program says when way $1 has befallen a wire: what it was told, $2. Or what it saw: who knows first ends the
# ranks, and half a second later the program has a verdict of its own on these. Of a reset all know at once. Both stand
# in the row of docs/errors.md about a driver that is gone.
says() {
  echo "$2"
  [[ $1 == reset ]] || echo "is gone: the connection to it broke"
}

# How often node a has said that, and whether it has as often as $2.
said() { grep -cE "$1" "$cluster/a.log" || true; }
has_said() { (($(said "$1") >= $2)); }

check_program() {
  start_program p
  break_wire "$1" p
  ends_within 20 "$(says "$1" "the driver at 10.77.0.1:[0-9]+ is gone: (${why[$1]})")"
  await no_job_is_left
  mend_wire "$1" p
  echo "the program's wire, $1: the program was told, and nothing of the job is left"
}

check_node() {
  local lost joined told="the connection to the driver at .* has ended \\((${why[$1]})\\)"
  lost=$(said "$told") joined=$(said "has joined")
  start_program p
  break_wire "$1" a
  ends_within 20 "$(says "$1" "node 'a'")"
  await has_said "$told" $((lost + 1))
  await no_job_is_left
  mend_wire "$1" a
  await has_said "has joined" $((joined + 1))
  echo "a node's wire, $1: the program and the node were told, and the node has joined again"
}

check_vanished_driver() {
  start_program p
  vanish driver
  ends_within 20 "$(says vanish "the driver at 10.77.0.1:[0-9]+ is gone: $silent")"
  come_back driver
  await no_job_is_left
  echo "the driver's host vanished: the program was told, and nothing of the job is left"
}

cp "$program" "$cluster/program"
program="$cluster/program"
make_hosts driver a b p
in_host driver ss -K dst 192.0.2.1 >"$cluster/why.log" 2>&1 || skip "connections cannot be reset here: $(cat "$cluster/why.log")"
start_driver
start_node a 2 2
start_node b 3 2
for way in "${ways[@]}"; do check_program "$way"; done
for way in "${ways[@]}"; do check_node "$way"; done
check_vanished_driver
echo "passed"
