import { field } from '../../../json/read-unknown.ts'
import type { WrittenLimit } from '../../limits.ts'
import { showCount } from '../../show-count.ts'
import type { Found } from '../finding.ts'
import { number, type WrittenModel } from '../read-written.ts'

/** The limits of a model as they are written; undefined where OpenCode would not take them. */
export function readLimit({ value }: WrittenModel): WrittenLimit | undefined {
  const limit = field(value, 'limit')
  const context = number(field(limit, 'context'))
  const output = number(field(limit, 'output'))
  if (context === undefined || output === undefined) return undefined
  return { context, input: number(field(limit, 'input')), output }
}

/** The changes that write a limit whole; an input that it does not have is taken out. */
export function setLimit(path: Found['path'], limit: WrittenLimit): Found['changes'] {
  const { context, input, output } = limit
  return Object.entries({ context, input, output }).map(([name, value]) => ({
    path: [...path, 'limit', name],
    value,
  }))
}

/** For a person: the limit to write. */
export function limitText({ context, input, output }: WrittenLimit): string {
  const middle = input === undefined ? '' : ` "input": ${input},`
  return `Write "limit": { "context": ${context},${middle} "output": ${output} }.`
}

/** For a person: how many tokens. */
export function tokens(value: number): string {
  return `${showCount(value)} tokens`
}
