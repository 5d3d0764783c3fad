#!/usr/bin/env bash
# Unpacks a real OpenSSH (sshd, ssh, ssh-keygen) from Debian's packages into a folder of its own. Nothing is installed:
# no service starts, no user is made, and nothing else on this machine changes.
# libnss-wrapper comes with it: it lets the tests' sshd know a user who stands in no /etc/passwd.
#
# usage: bash test/real/setup-openssh.sh [ROOT]
#        ROOT is $SWAPGATE_OPENSSH_ROOT or /var/cache/swapgate/openssh-root unless given; any user may fill a ROOT of
#        their own.
#
# Takes some seconds and 10 MB the first time, nothing afterwards. To undo it, delete ROOT.
set -euo pipefail
export LC_ALL=C
umask 022

default_root=/var/cache/swapgate/openssh-root
root=${1:-${SWAPGATE_OPENSSH_ROOT:-$default_root}}
root=${root%/}
# Built beside its place and moved there when complete, so a root that exists is a root that works.
partial=$root.partial

fail() {
  printf 'setup-openssh: %s\n' "$@" >&2
  exit 1
}

download() {
  # Only what this machine lacks comes with the three; apt's own folders and lock files are left alone.
  apt-get -qq -y -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)" -o Dir::Cache::archives="$partial/archives" \
    install --no-install-recommends --reinstall --download-only openssh-server openssh-client libnss-wrapper
}

libraries() { find "$1" -type f -name '*.so*' -path '*/lib/*-linux-*' -printf '%h\n' | sort -u | paste -sd :; }

if [ ! -x "$root/usr/sbin/sshd" ]; then
  [[ $root == /?* ]] || fail "give an absolute path, not '${1:-}'"
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
    fail 'this script needs apt-get, as Debian and Ubuntu have it. Run the tests in a container of one of them'
  mkdir -p "$partial/archives/partial" || fail "$partial cannot be made. Run as root, or give a path of your own"
  # A fresh container has no lists of packages, and old lists name versions that are gone.
  download || { [ "$(id -u)" = 0 ] && apt-get -qq update && download; } ||
    fail 'apt-get could not download openssh-server; are its lists old? As root: apt-get update'
  for package in "$partial"/archives/*.deb; do dpkg-deb -x "$package" "$partial"; done
  rm -r "$partial/archives"
  mv "$partial" "$root"
fi
version=$(LD_LIBRARY_PATH=$(libraries "$root") "$root/usr/sbin/sshd" -V 2>&1) || fail "sshd does not run:" "$version"
echo "ready: $version in $root"
[ "$root" = "$default_root" ] || echo "tell the tests: export SWAPGATE_OPENSSH_ROOT=$root"
