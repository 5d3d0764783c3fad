#!/usr/bin/env bash
# Puts a real OpenCode from npm into a folder of its own. Nothing is installed: package.json, node_modules, npm's global
# packages and its cache stay as they are, and OpenCode itself is not started.
#
# usage: bash test/opencode/setup-opencode.sh [ROOT]
#        ROOT is $SWAPGATE_OPENCODE_ROOT or /var/cache/swapgate/opencode unless given, or ~/.cache/swapgate/opencode for
#        users who may not write there. Any user may fill a ROOT of their own.
#
# Takes about ten seconds and 190 MB the first time, nothing afterwards. To undo it, delete ROOT.
#
# Exit codes: 0 it is there, 1 something failed, 3 the registry that npm uses does not have it
set -euo pipefail
export LC_ALL=C
umask 022

version=1.18.33
default_root=/var/cache/swapgate/opencode
home_root=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/swapgate/opencode

say() { printf '[%3d s] %s\n' "$SECONDS" "$*"; }

fail() { # $1: exit code
  local code=$1
  shift
  printf 'setup-opencode: %s\n' "$@" >&2
  exit "$code"
}

is_complete() { [ -x "$1/bin/opencode" ] && grep -qs "\"version\": \"$version\"" "$1/package.json"; }

can_make() { mkdir -p "$1" 2>/dev/null && [ -w "$1" ]; }

find_root() {
  if is_complete "$default_root" || can_make "$(dirname "$default_root")"; then
    echo "$default_root"
  else
    echo "$home_root"
  fi
}

# The package "opencode-ai" only chooses one of these, each of which holds the plain executable.
package_name() {
  local system machine kind=''
  system=$(uname -s | tr '[:upper:]' '[:lower:]')
  case $(uname -m) in
    x86_64) machine=x64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) fail 1 "OpenCode has no program for $(uname -m)" ;;
  esac
  if [ "$system $machine" = 'linux x64' ] && ! grep -qw avx2 /proc/cpuinfo; then kind=-baseline; fi
  if [ "$system" = linux ] && compgen -G '/lib/ld-musl-*' >/dev/null; then kind+=-musl; fi
  echo "opencode-$system-$machine$kind"
}

download() {
  local package
  package=$(package_name)
  command -v npm >/dev/null || fail 1 'this script needs npm, which comes with Node: https://nodejs.org'
  say "asking npm for $package $version (opencode-ai), for $root"
  # Run in there, so that no project's settings count; with a cache in there, so that the user's does not grow.
  if ! (cd "$partial" && npm pack --silent --cache "$partial/cache" "$package@$version") >"$partial/log" 2>&1; then
    # Silent as it is, npm says nothing; its own log tells the reason.
    reason=$(grep -rhoE '\b(E404|ETARGET|ENOVERSIONS)\b' "$partial/cache/_logs" | head -n 1 || true)
    [ -z "$reason" ] || fail 3 "the registry that npm uses does not have $package $version ($reason)." \
      'Nothing is wrong here. Use another registry (npm config get registry), or get OpenCode elsewhere:' \
      "the executable goes to $root/bin/opencode, its package.json beside it"
    fail 1 "npm could not download $package $version:" \
      "$(grep -rhoE '^[0-9]+ error .*' "$partial/cache/_logs" | cut -d ' ' -f 3- | head -n 4)"
  fi
  tar -xzf "$partial"/opencode-*.tgz -C "$partial"
  is_complete "$partial/package" || fail 1 "what npm gave for $package $version is not complete; it is in $partial"
  rm -rf "$root"
  mv "$partial/package" "$root"
}

root=${1:-${SWAPGATE_OPENCODE_ROOT:-$(find_root)}}
root=${root%/}
[[ $root == /?* ]] || fail 1 "give an absolute path, not '${1:-${SWAPGATE_OPENCODE_ROOT:-}}'"
# Built beside its place and moved there when complete, so a root that is complete is a root that works.
partial=$root.partial

if ! is_complete "$root"; then
  if [ -e "$root" ] && [ ! -x "$root/bin/opencode" ] && [ -n "$(ls -A "$root")" ]; then
    fail 1 "$root exists, but there is no OpenCode in it. Delete it, or give another path"
  fi
  rm -rf "$partial"
  can_make "$partial" || fail 1 "$partial cannot be made. Give a path of your own"
  trap 'rm -rf "$partial"' EXIT
  download
fi
say "ready: OpenCode $version in $root"
case $root in
  "$default_root" | "$home_root") ;;
  *) say "tell the tests: export SWAPGATE_OPENCODE_ROOT=$root" ;;
esac
