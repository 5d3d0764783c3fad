import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import type { GateEnv } from '../../../src/http/gate-env.ts'
import { reportUsage } from '../../../src/http/report-usage.ts'
import { RequestScope } from '../../../src/http/request-scope.ts'
import type { Scope } from '../../../src/routes/route-table.ts'
import { createMemoryUsageStore } from '../../../src/usage/memory-usage-store.ts'
import { usageReport } from '../../../src/usage/usage-report.ts'
import type { UsageQuery } from '../../../src/usage/usage-store.ts'
import { usageRecord } from '../../contracts/usage-record.ts'
import { usageTotal } from '../../contracts/usage-store.ts'
import { fakeClock } from '../../support/fake-clock.ts'

const NOW = Date.UTC(2026, 0, 31, 12)
const DAY_MS = 86_400_000
const LIMITS = {
  requestsPerMinute: undefined,
  burst: 1,
  tokensPerMinute: undefined,
  tokensPerDay: undefined,
  concurrent: undefined,
  waiting: 1,
  maxOutputTokens: undefined,
  timeZone: 'UTC',
}

/** Asks with a key `laptop`; of it and of `phone` there is one record each. */
async function ask(query: string, scopes: Scope[] = ['inference']): Promise<Response> {
  const usage = createMemoryUsageStore()
  usage.append(usageRecord({ keyId: 'laptop', at: NOW - 5 * DAY_MS }))
  usage.append(usageRecord({ keyId: 'phone', at: NOW - 29 * DAY_MS }))
  usage.append(usageRecord({ keyId: 'phone', at: NOW - 31 * DAY_MS }))
  const app = new Hono<GateEnv>()
  app.use(async (c, next) => {
    const request = { method: 'GET', path: '/usage', acceptedAt: NOW }
    c.set('scope', new RequestScope(request, {}))
    const rights = { swap: 'evict', weight: 1, limits: LIMITS, edge: false } as const
    c.set('principal', { keyId: 'laptop', scopes, models: ['*'], ...rights })
    await next()
  })
  app.route('/usage', reportUsage({ usage, clock: fakeClock(NOW), timeZone: 'UTC' }))
  return app.request(`/usage${query}`, {}, { target: { path: '/usage', search: query, host: 'x' } })
}

const FULL: Omit<UsageQuery, 'keyId'> = { since: NOW - 30 * DAY_MS, by: 'model' }

describe('GET /usage', () => {
  test('tells a key its own usage of 30 days by model', async () => {
    const answer = await ask('')
    expect({
      status: answer.status,
      type: answer.headers.get('content-type'),
      cache: answer.headers.get('cache-control'),
      body: await answer.json(),
    }).toEqual({
      status: 200,
      type: 'application/json',
      cache: 'no-store',
      body: usageReport({ ...FULL, keyId: 'laptop' }, [usageTotal('glm', 1)], NOW),
    })
  })

  test('lets a key name itself', async () => {
    expect(await (await ask('?key=laptop&by=key')).json()).toEqual(
      usageReport({ ...FULL, by: 'key', keyId: 'laptop' }, [usageTotal('laptop', 1)], NOW),
    )
  })

  test('tells a key that is another gate’s of its clients, and of one that it names', async () => {
    const [all, one] = await Promise.all([ask('?by=key'), ask('?by=key&key=laptop/friend')])
    expect([await all.json(), await one.json()]).toEqual([
      usageReport({ ...FULL, by: 'key', keyId: 'laptop' }, [usageTotal('laptop', 1)], NOW),
      usageReport({ ...FULL, by: 'key', keyId: 'laptop/friend' }, [], NOW),
    ])
  })

  test.each<Scope>(['status', 'admin'])(
    'tells a key with the scope %s of all keys',
    async (scope) => {
      expect(await (await ask('?by=key', [scope])).json()).toEqual(
        usageReport(
          { ...FULL, by: 'key', keyId: undefined },
          [usageTotal('laptop', 1), usageTotal('phone', 1)],
          NOW,
        ),
      )
    },
  )

  test('tells a status key of the one key that it names, since when it says', async () => {
    expect(
      await (await ask('?key=phone&by=day&since=40d', ['inference', 'status'])).json(),
    ).toEqual(
      usageReport(
        { since: NOW - 40 * DAY_MS, by: 'day', keyId: 'phone' },
        [usageTotal('2026-01-01', 2)],
        NOW,
      ),
    )
  })

  test('refuses to tell a key of another one, whether that exists or not', async () => {
    const answers = await Promise.all([ask('?key=phone'), ask('?key=nobody')])
    expect(answers.map(({ status }) => status)).toEqual([403, 403])
    const [one, other] = await Promise.all(answers.map((answer) => answer.text()))
    expect(one).toContain('"code":"scope_missing"')
    expect(other).toBe(one)
  })

  const SINCE =
    '"since" must be a day (2026-01-31), a time (2026-01-31T12:00:00Z) or a length such as 30m, 24h or 7d.'
  test.each([
    ['?since=', 'since', SINCE],
    ['?since=soon', 'since', SINCE],
    ['?since=1d&since=2d', 'since', SINCE],
    ['?by=hour', 'by', '"by" must be key, model or day.'],
    ['?by=', 'by', '"by" must be key, model or day.'],
    ['?key=', 'key', '"key" must not be empty.'],
    ['?key=a&key=b', 'key', '"key" must be the id of one key.'],
    ['?until=1d', 'until', 'There is no query field "until". Known fields: since, by, key.'],
    [`?${'x'.repeat(90)}=1`, `${'x'.repeat(80)}…`, `There is no query field "${'x'.repeat(80)}…".`],
    ['?by=day&Since=1d', 'Since', 'There is no query field "Since". Known fields: since, by, key.'],
  ])('says what is wrong with %s', async (query, param, detail) => {
    const answer = await ask(query, ['admin'])
    const { error }: { error: { message: string; param: string } } = JSON.parse(await answer.text())
    expect([answer.status, error.param, error.message]).toEqual([
      400,
      param,
      expect.stringContaining(detail),
    ])
  })
})
