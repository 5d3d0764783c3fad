import { compactsAt, limitsFor } from '../../limits.ts'
import { showCount } from '../../show-count.ts'
import { raiseVariable } from './check-output.ts'
import type { Found } from '../finding.ts'
import { faultOf, rightLimit, takesInput, type LimitCase } from './limit-case.ts'
import { RESERVED } from './shared-compaction.ts'
import { tokens } from './written-limit.ts'

/** Without `limit.input` a reserve does not count, and a large output takes much of the context. */
export function checkInput(about: LimitCase): Found[] {
  const { limit, compaction, outputMax } = about
  if (limit.input !== undefined && limit.input > 0) return []
  if (!limit.input && !takesInput(about)) return []
  const now = compactsAt({ limit, compaction, outputTokenMax: outputMax })
  const later = compactsAt({ limit: rightLimit(about), compaction, outputTokenMax: outputMax })
  const severity = now === later ? 'hint' : 'warning'
  return [
    faultOf(about, ['input-missing', severity, undefined], withoutInput(about, { now, later })),
  ]
}

/** Used tokens at which OpenCode compacts; undefined: never. */
type When = { now: number | undefined; later: number | undefined }

function withoutInput({ limit, window }: LimitCase, { now, later }: When): string {
  const without =
    limit.input === undefined ? 'Without limit.input' : `With an input of ${limit.input}`
  const noEffect = `${without} compaction.reserved has no effect. OpenCode`
  if (now === undefined || later === undefined)
    return `${noEffect} does not compact by itself anyway.`
  if (now === later) return `${noEffect} compacts ${whenText(now)} with it, too.`
  const ofWindow = window === undefined || now === 0 ? '' : ` of ${showCount(window)}`
  return `${without} OpenCode compacts ${whenText(now)}${ofWindow}, whatever compaction.reserved says; with it ${whenText(later)}.`
}

function whenText(used: number): string {
  return used === 0 ? 'after every answer' : `at ${tokens(used)}`
}

/** Whether there is room for what comes after OpenCode has looked for the last time. */
export function checkHeadroom(about: LimitCase): Found[] {
  const { limit, compaction, outputMax, model } = about
  const at = compactsAt({ limit, compaction, outputTokenMax: outputMax })
  const window = about.window ?? limit.context
  const wanted = limitsFor(window, model.real?.outputLimit).output
  if (at === undefined || at === 0 || window - at >= wanted) return []
  const isReserve = compaction.reserved !== undefined && compaction.reserved < wanted
  const base = faultOf(
    about,
    ['headroom-small', 'warning', isReserve ? undefined : 'output'],
    `OpenCode compacts at ${tokens(at)} of ${showCount(window)}. What comes next is not counted, and one tool result can be 12,000 to 17,000 tokens: leave ${showCount(wanted)}.`,
  )
  const { steps, changes } = isReserve ? aboutReserve(about) : { steps: [], changes: [] }
  const more = outputMax < wanted ? [raiseVariable(wanted)] : []
  const own = base.changes.length > 0 ? [base.fix] : []
  return [
    { ...base, fix: [...own, ...steps, ...more].join(' '), changes: [...changes, ...base.changes] },
  ]
}

function aboutReserve({ keptReserve }: LimitCase): { steps: string[]; changes: Found['changes'] } {
  if (keptReserve !== undefined) return { steps: [withoutEffect(keptReserve)], changes: [] }
  return {
    steps: ['Remove compaction.reserved.'],
    changes: [{ path: RESERVED, value: undefined }],
  }
}

/** For a person: why a limit goes without an input. */
export function withoutEffect(keptReserve: string): string {
  return `Without limit.input compaction.reserved has no effect; that stays, as ${keptReserve}.`
}
