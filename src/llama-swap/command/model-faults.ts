import { isOn, isEmbedding, leadingNumber, slotPlan } from './command-context.ts'
import type { ContextSize } from '../context-size.ts'
import type { LlamaFlags } from './llama-flags.ts'
import type { ModelFault } from '../model-config.ts'
import { capability, truth } from './model-traits.ts'

/** What of a model's command will surprise its owner; only a llama-server's flags are known well enough to say. */
export function faultsOf(record: unknown, flags: LlamaFlags, context: ContextSize): ModelFault[] {
  return [
    ...refusedFlags(flags),
    ...cutNumbers(flags),
    ...repeatedFlags(flags),
    ...sharing(flags, context),
    ...contradiction(record, context),
    ...templates(record, flags),
    ...shifting(flags),
  ]
}

function refusedFlags({ refused }: LlamaFlags): ModelFault[] {
  return refused.map(({ flag, value }) => ({
    kind: 'refused-flag',
    message: `llama-server does not start with ${flag} and its value in one word`,
    fix: /^\d+$/.test(value)
      ? `write it as two words: ${flag} ${value}`
      : `write ${flag} and its value as two words`,
  }))
}

function cutNumbers(flags: LlamaFlags): ModelFault[] {
  return (['context', 'parallel', 'physicalBatch', 'perSlot', 'predict'] as const).flatMap(
    (name) => {
      const value = flags.values.get(name) ?? ''
      const digits = /^[+-]?\d+(?=[a-z,._])/i.exec(value)?.[0]
      if (digits === undefined) return []
      const thousands = /^\d+k$/i.test(value) ? `: ${Number(digits) * 1024}` : ''
      return [
        {
          kind: 'cut-number',
          message: `llama-server reads ${flags.written.get(name)} as ${Number(digits)}`,
          fix: `write the number in digits alone${thousands}`,
        } as const,
      ]
    },
  )
}

function repeatedFlags(flags: LlamaFlags): ModelFault[] {
  const counted = (['context', 'parallel', 'physicalBatch', 'predict'] as const).filter((name) =>
    flags.repeated.has(name),
  )
  return counted.map((name) => ({
    kind: 'flag-twice',
    message: `the same setting stands in the command twice; the last one counts: ${flags.written.get(name)}`,
    fix: 'remove the one that does not count',
  }))
}

function sharing(flags: LlamaFlags, context: ContextSize): ModelFault[] {
  const plan = slotPlan(flags)
  if (
    flags.refused.length > 0 ||
    !plan ||
    plan.slots < 2 ||
    isEmbedding(flags) ||
    flags.values.has('perSlot')
  )
    return []
  const size = flags.written.get('context')
  if (plan.isShared)
    return [
      {
        kind: 'shared-context',
        message: `${plan.slots} slots share one context${size === undefined ? '' : ` (${size})`}: long requests that run side by side end each other with "Context size has been exceeded."`,
        fix: 'add -np 1, or as many slots as requests shall run side by side, each with its own part of -c',
      },
    ]
  if (size === undefined || context.tokens === undefined) return []
  return [
    {
      kind: 'divided-context',
      message: `${size} is divided among ${plan.slots} slots: one request gets ${context.tokens} tokens`,
      fix: `for ${size} in one request add -np 1, or ask for ${plan.slots} times as much`,
    },
  ]
}

function contradiction(record: unknown, context: ContextSize): ModelFault[] {
  const written = Number(capability(record, 'context') ?? 0)
  if (context.tokens === undefined || !(written > context.tokens)) return []
  return [
    {
      kind: 'contradicted-context',
      message: `capabilities.context says ${written} tokens, the command gives ${context.tokens} (${context.why})`,
      fix: 'remove capabilities.context, or change the command',
    },
  ]
}

function templates(record: unknown, flags: LlamaFlags): ModelFault[] {
  const hasTools = truth(capability(record, 'tools')) === true
  if (!hasTools || flags.values.get('jinja') === 'on') return []
  const isOff = flags.values.get('jinja') === 'off'
  return [
    {
      kind: 'tools-without-jinja',
      message: isOff
        ? 'capabilities.tools is true, but --no-jinja turns tools off'
        : 'tools need --jinja in builds of llama-server where it is not on by itself',
      fix: isOff ? 'write --jinja in place of --no-jinja' : 'add --jinja; recent builds have it on',
    },
  ]
}

function shifting(flags: LlamaFlags): ModelFault[] {
  if (!isOn(flags, 'contextShift')) return []
  const limit = leadingNumber(flags.values.get('predict') ?? '') ?? -1
  return [
    {
      kind: 'context-shift',
      message: `--context-shift: a full context forgets its beginning${limit > 0 ? '' : ', and an answer may go on without end'}`,
      fix: 'remove --context-shift, so that a full context ends the answer',
    },
  ]
}
