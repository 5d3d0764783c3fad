import { CLIENTS } from '../connect/clients.ts'
import { EXIT_CODES } from './exit-codes.ts'

const OPTIONS = `  --url URL       ask the gate that runs there, as a client does
  --key-env NAME  the environment variable that holds the key, LLAMA_SWAP_API_KEY if not given
  -h, --help      show this`

/** What `swapgate opencode --help` says. */
export const OPENCODE_HELP = `Usage: swapgate opencode [--write [FILE]] [--global] [--provider ID] [--url URL] [--key-env NAME]

Prints OpenCode's configuration: one provider with every model for chats, its limits from the real context. It names
the variable that holds the key, and never holds the key. Without --url, config.json says where the gate is, and
llama-swap's configuration which models there are.

Options:
  --write [FILE]  put it into FILE instead of printing it: ./opencode.jsonc or ./opencode.json if not given. What you
                  have written there stays: comments, other providers, names, variables, longer time-outs and answers.
                  The address, contexts and inputs become the gate's; each field that is replaced is named
  --provider ID   the name of the provider in OpenCode, llama-swap if not given. One that leads to another gate is left
                  alone: write beside it under a name of its own
  --global        the file for all projects, in ~/.config/opencode or $XDG_CONFIG_HOME/opencode
${OPTIONS}

${EXIT_CODES}`

/** What `swapgate check --help` says. */
export const CHECK_HELP = `Usage: swapgate check [opencode.json] [config.yaml] [--url URL] [--key-env NAME] [--fix] [--json]

Compares what OpenCode is told with what there is: the real context of each model, when compaction starts, where the
key comes from, where the address leads. Of each file it looks at provider, model, small_model, compaction and the
models of agents and commands. Without files: ./opencode.jsonc, ./opencode.json or the file for all projects,
and the configuration of llama-swap that config.json names. Hints and warnings end with 0, errors with 1.

Options:
  --fix           mend the faults that can be mended, in the file that is named or else in each that OpenCode puts
                  together, and check again; comments, and which models you have chosen, stay
  --json          print { version, files, models, findings, exitCode } for a program
${OPTIONS}

${EXIT_CODES}`

/** What `swapgate connect --help` says. */
export const CONNECT_HELP = `Usage: swapgate connect [CLIENT] [--url URL] [--model MODEL] [--key-env NAME]

Prints the settings with which a client reaches the gate, ready to paste. The key never stands in them.
CLIENT is one of: ${CLIENTS.join(', ')}

Options:
  --model MODEL   the model to begin with, the first one for chats if not given
${OPTIONS}

${EXIT_CODES}`
