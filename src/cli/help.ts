import { EXIT_CODES } from './exit-codes.ts'

/** What `swapgate --help` says. */
export const HELP = `swapgate: the gate in front of llama-swap.

Usage:
  swapgate start [--demo]        start llama-swap and the gate, stop both together
  swapgate keys new [--id NAME] [--edge]
                                 print a fresh key and its entry for config.json
  swapgate opencode [--write]    print OpenCode's configuration for these models, or write it
  swapgate check [--fix]         look for mistakes in OpenCode's configuration, and mend them
  swapgate connect [CLIENT]      print the settings of a client
  swapgate --help | --version
  swapgate COMMAND --help        more about one command

Where there is no swapgate on the PATH: "npm link" in the clone puts it there. Without that, in the clone:
  npm run --silent swapgate -- COMMAND ...

${EXIT_CODES}`

/** What `swapgate start --help` says. */
export const START_HELP = `Usage: swapgate start [--demo]

Starts llama-swap on 127.0.0.1:8080 with config.yaml, waits until it answers, and starts the gate on port 3000.
Ctrl-C (or SIGTERM) lets running answers finish, then stops both; a second Ctrl-C stops at once.
Without config.json, one is made with a fresh key, which is shown only once.
Without llama-swap, the gate starts on the demo and says so, but not when there is a config.yaml.

Options:
  --demo      put the gate in front of a built-in upstream with fixed replies: no GPU, no model
  -h, --help  show this

Environment:
  LLAMA_SWAP_BIN  the llama-swap program; otherwise it is looked for on PATH
  UPSTREAM_URL    a llama-swap that already runs; then none is started
  CONFIG          path of the configuration, ./config.json if unset
  HOST, PORT      where the gate listens, 127.0.0.1 and 3000 if unset
  API_KEYS        keys, comma-separated: secret or id=secret; then no config.json is made
  PUBLIC_URL, UPSTREAM_API_KEY, LOG_LEVEL  as in config.json

${EXIT_CODES}`

/** What `swapgate keys new --help` says. */
export const NEW_KEY_HELP = `Usage: swapgate keys new [--id NAME] [--edge]

Prints a fresh key and the entry to paste into "keys" of config.json. The entry holds only the key's hash, and no
file is changed.

Options:
  --id NAME   name of the key in logs: letters, digits, ".", "_" and "-"
  --edge      for another gate in front of this one: what it says of its clients is believed
  -h, --help  show this

${EXIT_CODES}`
