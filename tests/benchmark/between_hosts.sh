#!/usr/bin/env bash
# What it costs to move values between machines, beside plain TCP on the same link: five hosts as network namespaces
# (tests/multihost/hosts.sh), one rank on each of two, two ranks on each of two others. Prints one line of JSON for each
# metric, and what each process of the job has sent and received, by its own counters and by its host's.
#   between_hosts.sh BUILD [--rate 1gbit] [--mib 256]      exit status 77: skipped, with the reason
set -euo pipefail

build=${1:?usage: between_hosts.sh BUILD [--rate RATE] [--mib MIB]}
bin=$build/bin
shift
rate=
mib=256
while (($# > 0)); do
  case $1 in
    --rate) rate=$2 ;;
    --mib) mib=$2 ;;
    *) echo "there is no option $1" >&2; exit 2 ;;
  esac
  shift 2
done
# shellcheck source=tests/multihost/hosts.sh
source "$(dirname "${BASH_SOURCE[0]}")/../multihost/hosts.sh"

# Each host sends at most that much.
limit() {
  local host
  for host in "${hosts[@]}"; do
    in_host "$host" tc qdisc add dev eth0 root tbf rate "$rate" burst 1mb latency 50ms || skip "links cannot be limited here"
  done
}

make_hosts driver a b c d
if [[ -n $rate ]]; then limit; fi
start_driver
start_node a 2 1
start_node b 3 1
start_node c 4 2
start_node d 5 2
mkfifo "$cluster/input"
TWINKLE_BENCHMARK_HOLD=1 ip netns exec "$mark-driver" "$build/tests/benchmark/twinkle-benchmark" --hosts "$mib" \
  --everywhere 4 <"$cluster/input" >"$cluster/benchmark.log" 2>&1 &
program=$!
processes+=("$program")
exec 3>"$cluster/input"
for ((i = 0; i < 6000; ++i)); do
  if grep -q "^MEASURED" "$cluster/benchmark.log" || ! kill -0 "$program" 2>/dev/null; then break; fi
  sleep 0.1
done
grep -q "^MEASURED" "$cluster/benchmark.log" || fail "the benchmark did not end"
grep '^{' "$cluster/benchmark.log"
in_host driver "$bin/twinkle" metrics | grep -E 'way="network"|pulled_bytes|compressed_bytes' | grep -v ' 0$'
for host in "${hosts[@]}"; do echo "host $host: $(received "$host") bytes received, $(sent "$host") sent"; done
echo >&3
wait "$program"
