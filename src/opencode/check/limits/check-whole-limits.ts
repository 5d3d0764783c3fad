import { field } from '../../../json/read-unknown.ts'
import { limitsFor, OPENCODE_OUTPUT_MAX, withOwnOutput, type WrittenLimit } from '../../limits.ts'
import type { CheckInput } from '../check-input.ts'
import type { Found } from '../finding.ts'
import { number, type WrittenModel } from '../read-written.ts'
import { reserveOf, takesInput } from './limit-case.ts'
import { limitText, setLimit } from './written-limit.ts'

/** OpenCode looks at each file for itself: it wants a whole limit there, also where another file has the rest. */
export function checkWholeLimits(input: CheckInput, model: WrittenModel): Found[] {
  if (model.real && model.real.use !== 'chat') return []
  const path = [...model.path, 'limit']
  return input.files.flatMap(({ name, document }): Found[] => {
    const own = path.reduce(field, document.value)
    const missing = partsMissing(own)
    if (own === undefined || missing.length === 0) return []
    const right = rightLimit(input, model, own)
    const isWhole = partsMissing(field(model.value, 'limit')).length === 0
    const names = missing.map((part) => `limit.${part}`).join(' and ')
    const each = isWhole ? ' in each file that has a limit' : ''
    return [
      {
        code: 'limit-incomplete',
        severity: 'error',
        path,
        file: name,
        message: `${names} must be a number${each}; OpenCode does not start without it.`,
        fix: right ? limitText(right) : 'Write all three values.',
        changes: right
          ? setLimit(model.path, right).map((change) => ({ ...change, file: name }))
          : [],
      },
    ]
  })
}

function partsMissing(limit: unknown): string[] {
  return ['context', 'output'].filter((name) => number(field(limit, name)) === undefined)
}

/** Undefined where neither the gate nor a file knows the context. */
function rightLimit(
  input: CheckInput,
  { real, value }: WrittenModel,
  own: unknown,
): WrittenLimit | undefined {
  const written = (name: string): number | undefined =>
    number(field(own, name)) ?? number(field(field(value, 'limit'), name))
  const context = real?.context.tokens ?? written('context') ?? 0
  const most = Math.min(
    input.machine.outputTokenMax ?? OPENCODE_OUTPUT_MAX,
    real?.outputLimit ?? Infinity,
  )
  if (context <= 0) return undefined
  const limit = withOwnOutput(limitsFor(context, real?.outputLimit), written('output'), most)
  const isTaken = takesInput({ window: context, limit, ...reserveOf(input) })
  return { ...limit, input: isTaken ? limit.input : undefined }
}
