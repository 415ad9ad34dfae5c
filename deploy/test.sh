#!/usr/bin/env bash
# Installs what is missing, builds everything and runs all tests; then the unit tests once more under sanitizers.
set -euo pipefail
# shellcheck source=deploy/steps.sh
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

usage() {
  cat <<'END'
usage: deploy/test.sh [--quick]
Builds everything and runs all tests. Then, unless told --quick: builds the library and the services with clang++, which
checks the lock annotations, and runs the unit tests with the address and undefined behaviour sanitizers and with the thread sanitizer.
The last line counts the tests.
END
}

passed=0
failed=0
skipped=0

configure() { (cd "$root" && cmake --preset "$1" --log-level=WARNING >/dev/null); }
build() { (cd "$root" && cmake --build --preset "$@"); }

# Runs the tests of a preset. Failed tests do not stop the script: it goes on, and fails at its end.
run_tests() {
  local preset=$1 log status=0 of
  log=$(mktemp)
  remember_temporary "$log"
  (cd "$root" && ctest --preset "$preset" --parallel "$(nproc)") 2>&1 | tee "$log" || status=$?
  of=$(sed -nE 's/^[0-9]+% tests passed, ([0-9]+) tests? failed out of ([0-9]+)$/\1 \2/p' "$log")
  if [[ -z $of ]]; then
    echo "ctest ran no tests" >&2
    return 1
  fi
  local failures=${of% *} total=${of#* } skips
  skips=$(grep -c '\*\*\*Skipped' "$log" || true)
  passed=$((passed + total - failures - skips))
  failed=$((failed + failures))
  skipped=$((skipped + skips))
  if (( status != 0 && failures == 0 )); then return "$status"; fi
}

main() {
  local quick=
  case "${1-}" in
    '') ;;
    --quick) quick=yes ;;
    -h | --help) usage; return ;;
    *) usage >&2; return 2 ;;
  esac

  plan "Install what is missing" 60
  plan "Configure" 10
  plan "Build everything" 710
  plan "Run all tests" 120
  if [[ -z $quick ]]; then
    plan "Configure for clang" 5
    plan "Build the library and the services with clang" 180
    local preset
    for preset in asan tsan; do
      plan "Configure for $preset" 5
      plan "Build the unit tests for $preset" 420
      plan "Run the unit tests under $preset" 60
    done
  fi

  run_step "$root/deploy/install_dependencies.sh"
  run_step configure release
  run_step build release
  run_step run_tests release
  if [[ -z $quick ]]; then
    run_step configure clang
    run_step build clang --target twinkle twinkle-driver twinkle-worker twinkle-command
    for preset in asan tsan; do
      run_step configure "$preset"
      run_step build "$preset"
      run_step run_tests "$preset"
    done
  fi

  printf '\nAll steps took %s.\n%d passed, %d failed, %d skipped\n' "$(clock "$SECONDS")" "$passed" "$failed" "$skipped"
  (( failed == 0 ))
}

main "$@"
