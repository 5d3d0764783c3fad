#!/bin/sh
# The swapgate program, from any folder: what "npm link" puts on the PATH. It runs on the Node that "npm ci" brings, since
# the one on the PATH may be too old for TypeScript, else on that one, else on Bun.
root=$(dirname "$(dirname "$(readlink -f "$0")")")
for runtime in "$root/node_modules/.bin/node" node bun; do
  command -v "$runtime" >/dev/null 2>&1 && exec "$runtime" "$root/adapters/cli/main.ts" "$@"
done
echo 'swapgate: there is neither Node nor Bun here. Run ./scripts/start.sh in the clone once: it says what is missing.' >&2
exit 1
