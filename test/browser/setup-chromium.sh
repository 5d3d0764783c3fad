#!/usr/bin/env bash
# Installs Debian's or Ubuntu's package "chromium", for the tests of the page at "/": apt-get install, as root. It adds the
# package and what it depends on (about 400 MB) to this machine, and nothing else. To undo it:
#   apt-get remove --autoremove chromium
#
# usage: bash test/browser/setup-chromium.sh
#
# A Chromium or Chrome that is there already needs none of this: export CHROMIUM_BIN=/path/to/chrome
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

fail() {
  printf 'setup-chromium: %s\n' "$@" >&2
  exit 1
}

if ! command -v chromium >/dev/null; then
  command -v apt-get >/dev/null ||
    fail 'this script needs apt-get, as Debian has it. Elsewhere: install Chromium or Chrome and export CHROMIUM_BIN=/path/to/it'
  [ "$(id -u)" = 0 ] || fail 'run it as root: apt-get installs for the whole machine'
  # A fresh container has no lists of packages, and old lists name versions that are gone.
  apt-get install -y -qq --no-install-recommends chromium ||
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; }
fi
version=$(chromium --version 2>/dev/null) || fail 'chromium does not run: chromium --version says why'
echo "ready: $version"
