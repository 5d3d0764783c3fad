#!/usr/bin/env bash
# Puts a real llama-server (Debian's package llama.cpp-tools) into a small Debian root of its own, because the package
# needs a newer libc than Debian's stable releases have. Nothing else on this machine changes, except that debootstrap
# is installed when it is missing.
#
# usage: sudo bash test/real/setup-llama-server.sh [ROOT]
#        ROOT is $SWAPGATE_LLAMA_ROOT or /var/cache/swapgate/llama-root unless given.
#
# Takes about a minute and 300 MB the first time, nothing afterwards. To undo it, delete ROOT.
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
umask 022

suite=forky
default_root=/var/cache/swapgate/llama-root
root=${1:-${SWAPGATE_LLAMA_ROOT:-$default_root}}
root=${root%/}
# Built beside its place and moved there when complete, so a root that exists is a root that works.
partial=$root.partial
log=$root.log

fail() {
  printf 'setup-llama-server: %s\n' "$@" >&2
  exit 1
}

say() { printf '[%3d s] %s\n' "$SECONDS" "$*"; }

require_debian_root_user() {
  [ "$(id -u)" = 0 ] || fail "debootstrap and chroot need root. Run: sudo bash $0 $root"
  # shellcheck source=/dev/null
  [ -r /etc/os-release ] && . /etc/os-release
  [ "${ID:-}" = debian ] || fail \
    "this script needs Debian, and this is ${PRETTY_NAME:-an unknown system}." \
    "Build llama.cpp or take a release of it, then set LLAMA_SERVER_BIN=/path/to/llama-server"
  [[ $root == /?* ]] || fail "give an absolute path, not '${1:-}'"
  if [ -e "$root" ] && [ -n "$(ls -A "$root")" ]; then
    fail "$root exists, but there is no llama-server in it. Delete it, or give another path"
  fi
}

# The machine's own mirrors come first: whoever set them up had a reason, such as a network that reaches no other.
# apt itself reads its sources, so old one-line lists and deb822 files are both understood.
candidate_mirrors() {
  {
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
      awk -v release="^(${VERSION_CODENAME:-sid}|oldstable|stable|testing|unstable|sid)$" \
        '$1 ~ /^https?:/ && $2 ~ release && $3 == "main" { print $1 }'
    echo http://deb.debian.org/debian
  } | sed 's,/$,,' | awk '!seen[$0]++'
}

serves_suite() {
  local directory status=0
  directory=$(mktemp -d)
  /usr/lib/apt/apt-helper -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 \
    download-file "$1/dists/$suite/InRelease" "$directory/InRelease" >/dev/null 2>&1 || status=1
  rm -r "$directory"
  return "$status"
}

find_mirror() {
  local mirror
  while read -r mirror; do
    if serves_suite "$mirror"; then
      echo "$mirror"
      return
    fi
  done < <(candidate_mirrors)
  fail "no mirror answers with Debian $suite; is there a network? Tried:" $(candidate_mirrors)
}

require_debootstrap() {
  command -v debootstrap >/dev/null && command -v gpgv >/dev/null && return
  say 'installing debootstrap'
  { apt-get -qq update && apt-get -qq install -y --no-install-recommends debootstrap gpgv debian-archive-keyring; } \
    >>"$log" 2>&1 || fail "apt-get could not install debootstrap:" "$(tail -n 5 "$log")"
}

# debootstrap tells each package it touches; the first line of each kind is progress enough.
show_progress() {
  local line kind seen=' '
  while read -r line; do
    printf '%s\n' "$line" >>"$log"
    [[ $line == 'I: '* ]] || continue
    kind=$(cut -d ' ' -f 2 <<<"$line")
    [[ $seen == *" $kind "* ]] && continue
    seen+="$kind "
    say "${line#I: }"
  done
}

bootstrap() {
  # One file system only: were /proc or /dev of this machine mounted in there, they would be emptied, too.
  rm -rf --one-file-system "$partial"
  mkdir -p "$partial"
  # "sid" names the recipe, which fits newer suites that this machine's debootstrap has not heard of.
  debootstrap --variant=minbase --include=llama.cpp-tools "$suite" "$partial" "$1" sid 2>&1 | show_progress ||
    fail "debootstrap failed; the whole log is $log and ends with:" "$(tail -n 5 "$log")"
  rm -f "$partial"/var/cache/apt/archives/*.deb
  [ ! -d "$root" ] || rmdir "$root"
  mv "$partial" "$root"
}

if [ ! -x "$root/usr/bin/llama-server" ]; then
  require_debian_root_user "${1:-}"
  mkdir -p "$(dirname "$root")"
  : >"$log"
  require_debootstrap
  mirror=$(find_mirror)
  say "building a Debian $suite root in $root from $mirror; this takes about a minute"
  bootstrap "$mirror"
fi
[ "$(id -u)" = 0 ] || fail "$root is ready, but chroot needs root. Run the tests as root"
say "ready: $(chroot "$root" llama-server --version 2>&1 | head -n 1) in $root"
[ "$root" = "$default_root" ] || say "tell the tests: export SWAPGATE_LLAMA_ROOT=$root"
