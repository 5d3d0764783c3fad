import { OPENCODE_OUTPUT_MAX } from '../../limits.ts'
import { showCount } from '../../show-count.ts'
import type { Found } from '../finding.ts'
import { faultOf, type LimitCase } from './limit-case.ts'
import { tokens } from './written-limit.ts'

export const OUTPUT_VARIABLE = 'OPENCODE_EXPERIMENTAL_OUTPUT_TOKEN_MAX'

/** How many tokens an answer may have. */
export function checkOutput(about: LimitCase): Found[] {
  const { limit, outputMax } = about
  const costs =
    limit.input === undefined
      ? `, and without limit.input it takes ${showCount(outputMax)} tokens off the context`
      : ''
  if (limit.output <= 0)
    return [
      faultOf(
        about,
        ['output-zero', 'error', 'output'],
        `An output of 0 means ${showCount(outputMax)} to OpenCode${costs}.`,
      ),
    ]
  if (limit.output >= limit.context)
    return [
      faultOf(
        about,
        ['output-over-context', 'error', 'output'],
        `An output of ${tokens(limit.output)} leaves no room for a prompt in a context of ${showCount(limit.context)}.`,
      ),
    ]
  if (limit.output <= outputMax) return []
  if (limit.output <= OPENCODE_OUTPUT_MAX) return [cutByVariable(about)]
  return [
    faultOf(
      about,
      ['output-too-large', 'warning', 'output'],
      `OpenCode cuts an output of ${showCount(limit.output)} to ${showCount(outputMax)}${costs}.`,
    ),
  ]
}

/** The file is right, and so it is for other machines. */
function cutByVariable({ model, limit, outputMax }: LimitCase): Found {
  return {
    code: 'output-too-large',
    severity: 'warning',
    path: [...model.path, 'limit', 'output'],
    message: `${OUTPUT_VARIABLE} cuts an output of ${showCount(limit.output)} to ${showCount(outputMax)}.`,
    fix: raiseVariable(limit.output),
    changes: [],
  }
}

/** For a person: what to do about the variable. */
export function raiseVariable(least: number): string {
  return `Unset ${OUTPUT_VARIABLE}, or set it to ${least} or more.`
}
