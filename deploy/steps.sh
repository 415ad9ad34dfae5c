# shellcheck shell=bash
# Steps for the scripts beside this file, which source it. Each step says what it does, how long all steps have taken so
# far, and about how long is left.
#
#   plan "Build" 300            for each step, in order: its name, and its seconds on two cores the first time
#   run_step cmake --build …    runs the next step; its time is remembered for the next run
#   remember_temporary DIR      removes the folder when the script ends, however it ends
#   remember_process PID        ends the process (SIGTERM) then, too, or in end_processes

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
durations_file="$root/build/step_seconds"
step_names=()
step_seconds=()
step_next=0
step_running=
temporaries=()
processes=()

plan() {
  local name=$1 seconds=$2 known_seconds known_name
  if [[ -f $durations_file ]]; then
    while read -r known_seconds known_name; do
      if [[ $known_name == "$name" ]]; then seconds=$known_seconds; fi
    done <"$durations_file"
  fi
  step_names+=("$name")
  step_seconds+=("$seconds")
}

remember_temporary() { temporaries+=("$1"); }
remember_process() { processes+=("$1"); }

# Ends the remembered processes, the last one first, and waits until they have ended.
end_processes() {
  local i
  for ((i = ${#processes[@]} - 1; i >= 0; --i)); do
    kill "${processes[i]}" 2>/dev/null || true
    wait "${processes[i]}" 2>/dev/null || true
  done
  processes=()
}

clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

seconds_left() {
  local left=0 i
  for ((i = step_next; i < ${#step_names[@]}; ++i)); do left=$((left + step_seconds[i])); done
  printf '%d' "$left"
}

remember_duration() {
  local name=$1 seconds=$2 kept=
  mkdir -p "${durations_file%/*}"
  if [[ -f $durations_file ]]; then
    kept=$(awk -v name="$name" '{ line = $0; sub(/^[0-9]+ /, ""); if ($0 != name) print line }' "$durations_file")
  fi
  printf '%s\n' ${kept:+"$kept"} "$seconds $name" >"$durations_file"
}

run_step() {
  local name=${step_names[step_next]} begin=$SECONDS
  printf '\n==> [%d/%d] %s (%s so far, about %s left)\n' $((step_next + 1)) "${#step_names[@]}" "$name" \
    "$(clock "$SECONDS")" "$(clock "$(seconds_left)")"
  step_running=$name
  "$@"
  step_running=
  step_next=$((step_next + 1))
  remember_duration "$name" $((SECONDS - begin))
}

at_exit() {
  local status=$?
  end_processes
  if (( ${#temporaries[@]} > 0 )); then rm -rf "${temporaries[@]}"; fi
  if [[ -n $step_running ]] && (( status == 130 )); then
    printf '\nInterrupted in: %s. Start again any time; what is built stays.\n' "$step_running" >&2
  elif [[ -n $step_running ]]; then
    printf '\nFailed in: %s (exit status %d).\n' "$step_running" "$status" >&2
  fi
}

trap at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
