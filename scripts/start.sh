#!/usr/bin/env bash
# Sets up what is missing and hands over to adapters/cli/main.ts, which starts llama-swap and the gate.
# Written for bash 3.2, the one of macOS.
set -euo pipefail

usage() {
  cat <<'END'
Usage: ./scripts/start.sh [--demo] [--runtime node|bun|deno] [--no-install]

Installs what is missing, makes config.json with a fresh key when there is none, starts llama-swap on 127.0.0.1:8080
with config.yaml, waits until it answers, and starts the gate on port 3000.
Without llama-swap, the gate starts on the demo and says so, but not when there is a config.yaml.
Ctrl-C (or SIGTERM) lets running answers finish, then stops both; a second Ctrl-C stops at once.

Options:
  --demo          put the gate in front of a built-in upstream with fixed replies: no GPU, no model
  --runtime NAME  run on node, bun or deno; otherwise on Node 22.18 or newer, else on the packaged Node, else on Bun
  --no-install    install nothing; fail when something is missing
  -h, --help      show this

Environment:
  LLAMA_SWAP_BIN  the llama-swap program; otherwise it is looked for on PATH
  UPSTREAM_URL    a llama-swap that already runs; then none is started
  CONFIG          path of the configuration, ./config.json if unset
  HOST, PORT      where the gate listens, 127.0.0.1 and 3000 if unset
  API_KEYS        keys, comma-separated: secret or id=secret; then no config.json is made
  PUBLIC_URL, UPSTREAM_API_KEY, LOG_LEVEL  as in config.json

Exit codes:
  0  stopped as asked
  1  something failed: a port is taken, llama-swap ended, a file cannot be written
  2  wrong usage or configuration
END
}

say() { echo "start.sh: $*" >&2; }
fail() { say "$*"; exit 1; }
misused() { say "$*"; exit 2; }
misunderstood() { say "$*"; echo >&2; usage >&2; exit 2; }

# ---- Arguments: --demo is for the program, all others are for here.

runtime=''
may_install=yes
passed_on=()
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --runtime) [ $# -gt 1 ] || misused '--runtime needs a name: node, bun or deno'; runtime=$2; shift ;;
    --runtime=*) runtime=${1#--runtime=} ;;
    --no-install) may_install=no ;;
    --demo) passed_on+=("$1") ;;
    -*) misunderstood "unknown option \"$1\"" ;;
    *) misunderstood "unexpected \"$1\"" ;;
  esac
  shift
done
case $runtime in
  '' | node | bun | deno) ;;
  *) misused "unknown runtime \"$runtime\"; it is node, bun or deno" ;;
esac

# ---- Work from the project's folder, wherever this was called from. Paths in the environment are the caller's.

absolute() { case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac; }
if [ -n "${CONFIG:-}" ]; then CONFIG=$(absolute "$CONFIG"); export CONFIG; fi
case ${LLAMA_SWAP_BIN:-} in */*) LLAMA_SWAP_BIN=$(absolute "$LLAMA_SWAP_BIN"); export LLAMA_SWAP_BIN ;; esac

self=${BASH_SOURCE[0]}
while [ -L "$self" ]; do
  target=$(readlink "$self")
  case $target in /*) self=$target ;; *) self=$(dirname "$self")/$target ;; esac
done
cd -P -- "$(dirname -- "$self")/.."

# ---- Which runtimes are here.

have() { command -v "$1" >/dev/null 2>&1; }
works() { "$@" >/dev/null 2>&1; }

# Node 22.18 and newer run TypeScript as it is; asking is surer than comparing versions.
runs_typescript() { works "$1" -e 'process.exit(process.features.typescript ? 0 : 1)'; }

find_node() {
  local candidate
  for candidate in "$(command -v node || true)" node_modules/node-linux-*/bin/node; do
    if [ -x "$candidate" ] && runs_typescript "$candidate"; then echo "$candidate"; return; fi
  done
}

find_bun() {
  local candidate
  for candidate in "$(command -v bun || true)" node_modules/bun/bin/bun.exe; do
    if [ -x "$candidate" ] && works "$candidate" --version; then echo "$candidate"; return; fi
  done
}

# The launcher of the npm package is a Node script that keeps signals to itself: Ctrl-C would leave the gate running.
is_node_script() { head -n 1 "$1" | grep -q '^#!.*node'; } 2>/dev/null

find_deno() {
  local candidate
  for candidate in "$(command -v deno || true)" node_modules/@deno/*/deno; do
    if [ -x "$candidate" ] && ! is_node_script "$candidate"; then echo "$candidate"; return; fi
  done
}

has_npm() { have npm && have node && works npm --version; }

# A Node to install exists for these only.
is_packaged_node_available() {
  case "$(uname -s) $(uname -m)" in 'Linux x86_64' | 'Linux aarch64' | 'Linux arm64') ;; *) false ;; esac
}

# ---- What is missing, and how to get it.

missing_package() {
  local name
  sed -n '/"dependencies": {/,/}/s/^ *"\([^"]*\)": ".*/\1/p' package.json | while read -r name; do
    if [ ! -f "node_modules/$name/package.json" ]; then echo "$name"; break; fi
  done
}

GRACE_TENTHS=50 # an installation that was asked to stop is killed after 5 s

stop_running() { # $1: the signal that came
  local group=${!:-} tenths=0
  # PIPE, too: who reads this may be gone by now, and that must not keep the rest from happening.
  trap '' INT TERM HUP PIPE
  say 'stopping the installation' || true
  if [ -n "$group" ]; then
    kill -TERM -- "-$group" 2>/dev/null || true
    while kill -0 -- "-$group" 2>/dev/null && [ $tenths -lt $GRACE_TENTHS ]; do
      sleep 0.1
      tenths=$((tenths + 1))
    done
    kill -KILL -- "-$group" 2>/dev/null || true
  fi
  trap - "$1"
  kill -"$1" $$
}

# A shell looks at signals only when what runs in the foreground has ended; so it runs in the background, in a group of
# its own ("set -m") that can be ended as a whole.
run_stoppable() {
  local status=0
  trap 'stop_running INT' INT
  trap 'stop_running TERM' TERM
  trap 'stop_running HUP' HUP
  set -m
  "$@" </dev/null &
  set +m
  wait $! || status=$?
  trap - INT TERM HUP
  return $status
}

install() { # $1: why, then the command
  local why=$1
  shift
  [ "$may_install" = yes ] || fail "$why. Run: $*"
  say "$why; installing: $*"
  run_stoppable "$@" >&2 || fail "The installation failed; what went wrong stands above. To try it alone: $*"
}

install_with_npm() { # $1: why, then further arguments for npm
  local why=$1
  shift
  # An installation with the tools of development is completed, never thinned out.
  if [ -d node_modules/typescript ]; then
    install "$why" npm ci --no-audit --no-fund
  else
    install "$why" npm ci --omit=dev --no-audit --no-fund "$@"
  fi
}

install_packages() { # $1: why
  local bun
  if has_npm; then
    install_with_npm "$1" --omit=optional
    return
  fi
  bun=$(find_bun)
  [ -n "$bun" ] || fail "$1, and there is neither npm nor Bun to install it. Get Node 22.18 or newer from https://nodejs.org"
  # Versions come from package-lock.json; Bun is not to write a lock file of its own.
  install "$1" "$bun" install --production --omit=optional --no-save
}

# ---- Choose the runtime, install, start.

node=$(find_node)
can_package_node() { has_npm && is_packaged_node_available; }

if [ -z "$runtime" ]; then
  if [ -n "$node" ] || can_package_node; then
    runtime=node
  elif [ -n "$(find_bun)" ]; then
    runtime=bun
  else
    fail 'No runtime was found. Get Node 22.18 or newer from https://nodejs.org, or Bun from https://bun.sh'
  fi
fi

if [ "$runtime" = node ] && [ -z "$node" ]; then
  can_package_node || fail 'Node 22.18 or newer was not found. Get it from https://nodejs.org'
  install_with_npm "Node $(node --version) is too old (22.18 or newer is needed), so a newer one comes with the packages"
  node=$(find_node)
  [ -n "$node" ] || fail 'The packaged Node does not run on this system. Get Node 22.18 or newer from https://nodejs.org'
fi
missing=$(missing_package)
if [ -n "$missing" ]; then
  install_packages "The package $missing is not installed"
fi

# Bun and Deno would ask the proxy for llama-swap on this machine.
if [ -n "${HTTP_PROXY:-}${http_proxy:-}${ALL_PROXY:-}${all_proxy:-}" ]; then
  NO_PROXY="127.0.0.1,localhost,::1${NO_PROXY:+,$NO_PROXY}"
  export NO_PROXY no_proxy="$NO_PROXY"
fi

program='adapters/cli/main.ts'
# "exec": signals go to the program, with no shell in between. bash 3.2 takes an empty list for an unset one.
case $runtime in
  node)
    # Half of the time to start is reading TypeScript.
    export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$PWD/node_modules/.cache/node}"
    exec "$node" "$program" start ${passed_on[@]+"${passed_on[@]}"}
    ;;
  bun)
    bun=$(find_bun)
    [ -n "$bun" ] || fail 'Bun was not found. Get it from https://bun.sh'
    exec "$bun" "$program" start ${passed_on[@]+"${passed_on[@]}"}
    ;;
  deno)
    deno=$(find_deno)
    [ -n "$deno" ] || fail 'Deno was not found. Get it from https://deno.com'
    # To end what it has started, Deno must be allowed to run anything, so the rest is not narrowed: "npm run start:deno" is
    # the narrow way, beside a llama-swap that runs already.
    exec "$deno" run --no-prompt --allow-net --allow-env --allow-read --allow-write --allow-run \
      --allow-sys=homedir,hostname,uid,gid "$program" start ${passed_on[@]+"${passed_on[@]}"}
    ;;
esac
