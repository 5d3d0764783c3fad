import { zValidator, type Hook } from '@hono/zod-validator'
import { Hono } from 'hono'
import * as z from 'zod'
import { hasScope } from '../auth/principal.ts'
import type { Clock } from '../deps.ts'
import type { GateError } from '../errors/gate-error.ts'
import { shortText } from '../errors/short-text.ts'
import type { Scope } from '../routes/route-table.ts'
import { isOfKey } from '../usage/is-of-key.ts'
import { readSince, usageReport } from '../usage/usage-report.ts'
import type { UsageStore } from '../usage/usage-store.ts'
import type { GateEnv } from './gate-env.ts'
import { freshText } from './own-answer.ts'
import { refuse } from './refuse.ts'

const SEES_ALL: readonly Scope[] = ['status', 'admin']

/** `timeZone` says when a day begins. */
export type Reporting = { usage: UsageStore; clock: Clock; timeZone: string }

/**
 * `GET /usage?since=&by=&key=`: sums of what was used. Keys with scope `status` or `admin` see all keys or the one they
 * name, others themselves and, where they are another gate's, its clients. To be mounted below the middleware that sets the principal.
 */
export function reportUsage({ usage, clock, timeZone }: Reporting): Hono<GateEnv> {
  const app = new Hono<GateEnv>()
  app.get(
    '/',
    zValidator<Question, 'query', GateEnv, '/', QuestionHook>(
      'query',
      questionAt(clock, timeZone),
      (result, c) => (result.success ? undefined : refuse(c, badQuery(result.error))),
    ),
    async (c) => {
      const { since, by, key } = c.req.valid('query')
      const principal = c.get('principal')
      const seesAll = hasScope(principal, SEES_ALL)
      if (!seesAll && key !== undefined && !isOfKey(key, principal.keyId))
        return refuse(c, { kind: 'scope-missing', needed: SEES_ALL })
      const query = { since, by, keyId: seesAll ? key : (key ?? principal.keyId) }
      const report = usageReport(query, await usage.totals(query), clock.now())
      return freshText(c, JSON.stringify(report), 'application/json')
    },
  )
  return app
}

const KNOWN = 'since, by, key'
const SINCE =
  '"since" must be a day (2026-01-31), a time (2026-01-31T12:00:00Z) or a length such as 30m, 24h or 7d.'

function questionAt(clock: Clock, timeZone: string) {
  return z.strictObject({
    since: z
      .string(SINCE)
      .default('30d')
      .transform((text, context) => {
        const since = readSince(text, clock.now(), timeZone)
        if (since !== undefined) return since
        context.addIssue(SINCE)
        return z.NEVER
      }),
    by: z.enum(['key', 'model', 'day'], '"by" must be key, model or day.').default('model'),
    key: z.string('"key" must be the id of one key.').min(1, '"key" must not be empty.').optional(),
  })
}

type Question = ReturnType<typeof questionAt>
// Spelt out, since the validator cannot tell the app's environment from its hook.
type QuestionHook = Hook<z.infer<Question>, GateEnv, '/', 'query', {}, Question>

/** Tells the first thing that is wrong. */
function badQuery({ issues }: { issues: readonly z.core.$ZodIssue[] }): GateError {
  const [issue] = issues
  const [unknown] = issue?.code === 'unrecognized_keys' ? issue.keys : []
  if (unknown === undefined)
    return {
      kind: 'bad-request',
      detail: issue?.message ?? 'The query cannot be read.',
      param: String(issue?.path[0]),
    }
  const detail = `There is no query field ${JSON.stringify(shortText(unknown))}. Known fields: ${KNOWN}.`
  return { kind: 'bad-request', detail, param: unknown }
}
