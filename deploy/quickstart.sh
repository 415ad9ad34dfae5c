#!/usr/bin/env bash
# Installs what is missing, builds Twinkle, trains the example's language model on real text and shows the result.
set -euo pipefail
# shellcheck source=deploy/steps.sh
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

usage() {
  cat <<'END'
usage: deploy/quickstart.sh
Installs what is missing (as root, or tells the command), builds the library and its example, and trains a character
language model on the licence texts of this machine with four model ranks and two evaluator ranks. Can be run again.
END
}

result="$root/build/quickstart"
example="$root/build/release/client/examples/char_lm/char_lm"

configure() { (cd "$root" && cmake --preset release --log-level=WARNING >/dev/null); }
build() { (cd "$root" && cmake --build --preset release --target twinkle char_lm); }
train() {
  mkdir -p "$result"
  "$example" --mode in_process --svg "$result/loss.svg" --json "$result/report.json"
}

main() {
  case "${1-}" in
    '') ;;
    -h | --help) usage; return ;;
    *) usage >&2; return 2 ;;
  esac
  plan "Install what is missing" 60
  plan "Configure" 10
  plan "Build the library and the example" 300
  plan "Train on real text" 60

  run_step "$root/deploy/install_dependencies.sh"
  run_step configure
  run_step build
  run_step train

  cat <<END

It works. The perplexity and the sample are above; the loss curve is
  $result/loss.svg
Train again, on a text of yours:
  $example --mode in_process --file FILE
END
}

main "$@"
