#!/usr/bin/env bash
# Installs the packages that building and testing Twinkle needs and this machine lacks. When none is missing it changes
# nothing, and needs no root.
set -euo pipefail

usage() {
  cat <<'END'
usage: deploy/install_dependencies.sh [--list]
Installs the Debian packages that are missing; asks for root only if there are any.
  --list   print the names of all packages and exit
END
}

# Commands that may come from anywhere, each with the package that has it: command:package.
tools=(
  g++:g++ cmake:cmake ninja:ninja-build ccache:ccache ld.lld:lld pkg-config:pkg-config git:git python3:python3
  clang++:clang clang-format:clang-format clang-tidy:clang-tidy protoc:protobuf-compiler
  grpc_cpp_plugin:protobuf-compiler-grpc ip:iproute2 faketime:faketime
)
libraries=(
  libabsl-dev libspdlog-dev libfmt-dev libprotobuf-dev libdlpack-dev        # the library
  libgrpc++-dev libssl-dev libzstd-dev                                      # between processes
  libcli11-dev nlohmann-json3-dev libsqlite3-dev                            # services and commands
  catch2 libeigen3-dev                                                      # tests and examples
)

is_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

missing_packages() {
  local entry
  for entry in "${tools[@]}"; do
    command -v "${entry%%:*}" >/dev/null || printf '%s\n' "${entry#*:}"
  done
  for entry in "${libraries[@]}"; do
    is_installed "$entry" || printf '%s\n' "$entry"
  done
}

main() {
  case "${1-}" in
    '') ;;
    --list) printf '%s\n' "${tools[@]#*:}" "${libraries[@]}"; return ;;
    -h | --help) usage; return ;;
    *) usage >&2; return 2 ;;
  esac

  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "This is not Debian: make sure that you have what it calls ${tools[*]#*:} ${libraries[*]}."
    return
  fi
  local -a missing
  mapfile -t missing < <(missing_packages)
  if (( ${#missing[@]} == 0 )); then
    echo "Nothing to install: everything that Twinkle needs is here."
    return
  fi
  echo "Missing: ${missing[*]}"
  if (( EUID != 0 )); then
    echo "Installing takes root. Run this, then start again:" >&2
    echo "  sudo apt-get update && sudo apt-get install --yes --no-install-recommends ${missing[*]}" >&2
    return 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq -o DPkg::Lock::Timeout=300 update
  apt-get -qq -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends "${missing[@]}"
  echo "Installed: ${missing[*]}"
}

main "$@"
