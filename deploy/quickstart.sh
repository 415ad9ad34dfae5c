#!/usr/bin/env bash
# Installs what is missing, builds Twinkle, starts a cluster of a driver and two node daemons on this machine, trains the
# example's language model on it, shows the cluster and the result, stops everything.
set -euo pipefail
# shellcheck source=deploy/steps.sh
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

usage() {
  cat <<'END'
usage: deploy/quickstart.sh
Installs what is missing (as root, or tells the command), builds the library, the services and the example, starts a
driver and two node daemons on free ports, trains a character language model on the licence texts of this machine with
four model ranks and two evaluator ranks in seven worker processes, compares the losses with those of the same training in
one process, and stops everything. Can be run again.
END
}

build_folder="$root/build/release"
bin="$build_folder/bin"
result="$root/build/quickstart"
example="$build_folder/client/examples/char_lm/char_lm"

configure() { (cd "$root" && cmake --preset release --log-level=WARNING >/dev/null); }
build() {
  (cd "$root" && cmake --build --preset release --target twinkle char_lm twinkle-driver twinkle-worker twinkle-command)
}

# Waits until the command succeeds; gives up after 10 s.
await() {
  local i
  for ((i = 0; i < 200; ++i)); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.05
  done
  echo "this did not come true within 10 s: $*" >&2
  return 1
}

start_cluster() {
  cluster=$(mktemp -d)
  remember_temporary "$cluster"
  export TWINKLE_TOKEN_FILE="$cluster/token"
  "$bin/twinkle-driver" --listen 127.0.0.1:0 --port-file "$cluster/port" &
  remember_process $!
  await test -s "$cluster/port"
  TWINKLE_DRIVER="127.0.0.1:$(cat "$cluster/port")"
  export TWINKLE_DRIVER
  local node
  for node in a b; do
    "$bin/twinkle-worker" --node-name "$node" --cpus 4 --log-dir "$result/logs-$node" &
    remember_process $!
  done
  await both_nodes
}
both_nodes() { [[ $("$bin/twinkle" status --json | grep -c '"joined_s"') == 2 ]]; }

train() {
  mkdir -p "$result"
  "$example" --mode cluster --svg "$result/loss.svg" --json "$result/report.json" &
  local training=$!
  remember_process "$training"
  await job_runs
  printf '\n$ twinkle status\n%s\n' "$("$bin/twinkle" status)"
  wait "$training"
}
job_runs() { "$bin/twinkle" status --json | grep -q '"state": "running"'; }

compare() {
  "$example" --mode in_process --svg "" --json "$result/in_process.json" >/dev/null
  python3 - "$result/report.json" "$result/in_process.json" <<'END'
import json
import sys

cluster, one_process = (json.load(open(name, encoding="utf-8"))["losses"] for name in sys.argv[1:])
if cluster != one_process:
    sys.exit("the losses on the cluster are not those in one process")
print(f"All {len(cluster)} losses are the same to the last bit, on the cluster and in one process.")
END
}

stop_cluster() { end_processes; }

main() {
  case "${1-}" in
    '') ;;
    -h | --help) usage; return ;;
    *) usage >&2; return 2 ;;
  esac
  plan "Install what is missing" 60
  plan "Configure" 10
  plan "Build the library, the services and the example" 190
  plan "Start a driver and two node daemons" 1
  plan "Train on real text, on the cluster" 60
  plan "Train again in one process, and compare" 20
  plan "Stop the cluster" 1

  run_step "$root/deploy/install_dependencies.sh"
  run_step configure
  run_step build
  run_step start_cluster
  run_step train
  run_step compare
  run_step stop_cluster

  cat <<END

It works. The perplexity and the sample are above; the loss curve is
  $result/loss.svg
Train again, on a text of yours, on a private cluster that starts and ends with the program:
  $example --mode cluster --file FILE
END
}

main "$@"
