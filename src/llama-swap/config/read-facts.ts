import { commandKey } from '../command/command-key.ts'
import { batchLimit, llamaContext } from '../command/command-context.ts'
import { commandWords } from '../command/command-words.ts'
import type { ContextSize } from '../context-size.ts'
import { readLlamaFlags, type LlamaFlags } from '../command/llama-flags.ts'
import type { ModelFacts } from '../model-config.ts'
import { faultsOf } from '../command/model-faults.ts'
import { capability, traitsOf } from '../command/model-traits.ts'
import { otherContext } from '../command/other-context.ts'
import { field, texts } from '../../json/read-unknown.ts'
import { findServer, type ServerCall } from '../command/server-kind.ts'

type Env = Readonly<Record<string, string | undefined>>

/** What a model's record says, and which program its command ends at. */
export type ReadModel = { facts: ModelFacts; call: ServerCall }

/** Reads one record below `models`, macros replaced. `env` is what llama-swap passes on to the program. */
export function readFacts(id: string, record: unknown, env: Env): ReadModel {
  const cmd = textOf(record, 'cmd')
  const words = cmd === undefined ? [] : commandWords(cmd)
  const call = findServer(words ?? [], { ...env, ...listedVariables(record) }, portOf(record))
  const flags = call.kind === 'llama-server' ? flagsOf(call) : undefined
  const derived = derivedContext({ cmd, words }, contextOf(call, flags))
  return {
    call,
    facts: {
      name: textOf(record, 'name'),
      description: textOf(record, 'description'),
      aliases: [],
      isUnlisted: /^true$/i.test(textOf(record, 'unlisted') ?? ''),
      commandLine: cmd === undefined || /\$\{(?!PORT\})/.test(cmd) ? undefined : commandKey(cmd),
      context: listedContext(record) ?? derived,
      batch: flags && !call.hasEnvFile ? batchLimit(flags) : undefined,
      faults: flags ? faultsOf(record, flags, derived) : [],
      ...traitsOf({ id, record, call, flags }),
      ...(areSlotsHidden(call) && { slots: undefined }),
    },
  }
}

/** The port at which llama-swap looks for the server. */
function portOf(record: unknown): string | undefined {
  return /:(\d+)\/?$/.exec(textOf(record, 'proxy') ?? '')?.[1]
}

function flagsOf({ args, env, isFork }: ServerCall): LlamaFlags {
  const flags = readLlamaFlags(args, env)
  // What a fork does on its own is not known here; its context is not shared all the same.
  return isFork && !flags.values.has('parallel')
    ? readLlamaFlags([...args, '-np', '1'], env)
    : flags
}

function contextOf(call: ServerCall, flags: LlamaFlags | undefined): ContextSize {
  return flags ? (hiddenContext(call, flags) ?? llamaContext(flags)) : otherContext(call)
}

/** A flag counts more than any variable. */
function hiddenContext(call: ServerCall, flags: LlamaFlags): ContextSize | undefined {
  if (!call.hasEnvFile || flags.written.get('context')?.startsWith('-')) return undefined
  const why = 'the variables of --env-file are not known here'
  return { tokens: undefined, source: 'unknown', why }
}

function areSlotsHidden({ kind, args, env, hasEnvFile, isFork }: ServerCall): boolean {
  if (kind !== 'llama-server') return false
  if (hasEnvFile) return !readLlamaFlags(args, {}).values.has('parallel')
  return isFork === true && !readLlamaFlags(args, env).values.has('parallel')
}

/** `env: [NAME=value]` of a model. */
function listedVariables(record: unknown): Record<string, string> {
  const pairs = texts(field(record, 'env')).map((pair) => {
    const end = pair.indexOf('=')
    return end < 0 ? [pair, ''] : [pair.slice(0, end), pair.slice(end + 1)]
  })
  return Object.fromEntries(pairs)
}

type Command = { cmd: string | undefined; words: readonly string[] | undefined }

function derivedContext({ cmd, words }: Command, read: ContextSize): ContextSize {
  if (cmd === undefined) return { tokens: undefined, source: 'unknown', why: 'there is no cmd' }
  if (words) return read
  return { tokens: undefined, source: 'unknown', why: 'a quote in cmd is not closed' }
}

/** Written by hand, and what llama-swap's own list says. */
function listedContext(record: unknown): ContextSize | undefined {
  const tokens = Number(capability(record, 'context') ?? 0)
  if (!Number.isInteger(tokens) || tokens <= 0) return undefined
  return {
    tokens,
    source: 'listing',
    certainty: 'estimate',
    why: `capabilities.context says ${tokens}; it is written by hand`,
  }
}

/** A text that says something; `~` and nothing are nothing. */
function textOf(record: unknown, name: string): string | undefined {
  const value = field(record, name)
  if (typeof value !== 'string' || /^(?:\s*|~|null)$/i.test(value)) return undefined
  return name === 'cmd' ? value : value.trim()
}
