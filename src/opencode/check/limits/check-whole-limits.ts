import { field } from '../../../json/read-unknown.ts'
import { limitsFor, OPENCODE_OUTPUT_MAX, withOwnOutput, type ModelLimit } from '../../limits.ts'
import type { CheckInput, MachineFacts } from '../check-input.ts'
import type { Found } from '../finding.ts'
import { number, type WrittenModel } from '../read-written.ts'
import { limitText, setLimit } from './written-limit.ts'

/** OpenCode looks at each file for itself: it wants a whole limit there, also where another file has the rest. */
export function checkWholeLimits({ files, machine }: CheckInput, model: WrittenModel): Found[] {
  if (model.real && model.real.use !== 'chat') return []
  const path = [...model.path, 'limit']
  return files.flatMap(({ name, document }): Found[] => {
    const own = path.reduce(field, document.value)
    const missing = partsMissing(own)
    if (own === undefined || missing.length === 0) return []
    const right = rightLimit(model, own, machine)
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
  { real, value }: WrittenModel,
  own: unknown,
  machine: MachineFacts,
): ModelLimit | undefined {
  const written = (name: string): number | undefined =>
    number(field(own, name)) ?? number(field(field(value, 'limit'), name))
  const context = real?.context.tokens ?? written('context') ?? 0
  const most = Math.min(
    machine.outputTokenMax ?? OPENCODE_OUTPUT_MAX,
    real?.outputLimit ?? Infinity,
  )
  if (context <= 0) return undefined
  return withOwnOutput(limitsFor(context, real?.outputLimit), written('output'), most)
}
