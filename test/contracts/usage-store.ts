import { describe, expect, test } from 'vitest'
import type { UsageRecord } from '../../src/usage/record.ts'
import type { UsageStore, UsageTotal } from '../../src/usage/usage-store.ts'
import { AT, usageRecord } from './usage-record.ts'

/** The sum over `requests` samples; `fields` are laid over it. */
export function usageTotal(
  group: string,
  requests: number,
  fields: Partial<UsageTotal> = {},
): UsageTotal {
  return {
    group,
    requests,
    completed: requests,
    promptTokens: 100 * requests,
    cachedTokens: 40 * requests,
    completionTokens: 7 * requests,
    estimated: 0,
    queueMs: 5 * requests,
    durationMs: 1_000 * requests,
    bytesIn: 300 * requests,
    bytesOut: 900 * requests,
    ...fields,
  }
}

const ALL = { since: 0, by: 'model', keyId: undefined } as const

type OpenStore = () => UsageStore | Promise<UsageStore>

async function filled(
  open: OpenStore,
  records: ReadonlyArray<Partial<UsageRecord>>,
): Promise<UsageStore> {
  const store = await open()
  for (const record of records) store.append(usageRecord(record))
  return store
}

/** What every store of usage must do. `open` gives an empty one that keeps at least 2,000 records. */
export function describeUsageStore(
  name: string,
  open: () => UsageStore | Promise<UsageStore>,
): void {
  describe(`${name} keeps usage`, () => {
    test('and has no sums while there is nothing', async () => {
      const store = await open()
      await store.flush()
      expect(await store.totals(ALL)).toEqual([])
    })

    test('and counts a record that was appended a moment ago', async () => {
      const store = await filled(open, [{}])
      expect(await store.totals(ALL)).toEqual([usageTotal('glm', 1)])
    })

    test('and counts a record once, however often it is written and summed', async () => {
      const store = await filled(open, [{}])
      await store.flush()
      await store.flush()
      await store.totals(ALL)
      expect(await store.totals(ALL)).toEqual([usageTotal('glm', 1)])
    })

    test('and sums each field on its own', async () => {
      const tokens = { prompt: 1, cached: 2, completion: 4, exact: false }
      const other = { tokens, queueMs: 8, ttftMs: 16, durationMs: 32, bytesIn: 64, bytesOut: 128 }
      const store = await filled(open, [{}, { ...other, outcome: 'client-closed', status: 499 }])
      expect(await store.totals(ALL)).toEqual([
        {
          group: 'glm',
          requests: 2,
          completed: 1,
          promptTokens: 101,
          cachedTokens: 42,
          completionTokens: 11,
          estimated: 1,
          queueMs: 13,
          durationMs: 1_032,
          bytesIn: 364,
          bytesOut: 1_028,
        },
      ])
    })

    test.each(['client-closed', 'upstream-failed', 'refused'] as const)(
      'and does not count %s as completed',
      async (outcome) => {
        const store = await filled(open, [{ outcome }])
        expect(await store.totals(ALL)).toEqual([usageTotal('glm', 1, { completed: 0 })])
      },
    )

    test('and takes what is not known as nothing', async () => {
      const store = await filled(open, [
        { tokens: undefined, queueMs: undefined, ttftMs: undefined },
      ])
      const nothing = { promptTokens: 0, cachedTokens: 0, completionTokens: 0, queueMs: 0 }
      expect(await store.totals(ALL)).toEqual([usageTotal('glm', 1, nothing)])
    })

    test('and puts requests that named no model into a group without a name', async () => {
      const store = await filled(open, [{ model: undefined }, {}])
      expect(await store.totals(ALL)).toEqual([usageTotal('', 1), usageTotal('glm', 1)])
    })

    test.each([
      ['key', [usageTotal('laptop', 3), usageTotal('phone', 1)]],
      ['model', [usageTotal('glm', 2), usageTotal('qwen', 2)]],
      ['day', [usageTotal('2026-01-01', 1), usageTotal('2026-01-02', 3)]],
    ] as const)('and groups by %s, in order', async (by, totals) => {
      const store = await filled(open, [
        { keyId: 'phone', model: 'qwen', day: '2026-01-02' },
        { day: '2026-01-02' },
        { model: 'qwen', day: '2026-01-01' },
        { day: '2026-01-02' },
      ])
      expect(await store.totals({ ...ALL, by })).toEqual(totals)
    })

    test('and leaves out what was accepted before, to the millisecond', async () => {
      const store = await filled(open, [
        { at: AT - 1, model: 'a' },
        { at: AT, model: 'b' },
        { at: AT + 1, model: 'c' },
      ])
      expect(await store.totals({ ...ALL, since: AT })).toEqual([
        usageTotal('b', 1),
        usageTotal('c', 1),
      ])
    })

    test('and sums one key only where it is named', async () => {
      const store = await filled(open, [{ keyId: 'a' }, { keyId: 'b' }, { keyId: 'b', at: AT - 1 }])
      expect([
        await store.totals({ since: AT, by: 'key', keyId: 'b' }),
        await store.totals({ since: AT, by: 'key', keyId: 'c' }),
        await store.totals({ since: AT, by: 'model', keyId: 'a' }),
      ]).toEqual([[usageTotal('b', 1)], [], [usageTotal('glm', 1)]])
    })

    test('and sums the clients of a key that is another gate’s with the key, or one of them', async () => {
      const names = ['vps', 'vps/friend', 'vps/laptop', 'vps0', 'vps-2', 'vp', 'VPS/friend']
      const store = await filled(
        open,
        names.map((keyId) => ({ keyId })),
      )
      const sum = async (keyId: string): Promise<string[]> =>
        (await store.totals({ since: 0, by: 'key', keyId })).map(({ group }) => group)
      expect([await sum('vps'), await sum('vps/friend'), await sum('vps/f')]).toEqual([
        ['vps', 'vps/friend', 'vps/laptop'],
        ['vps/friend'],
        [],
      ])
    })

    test('and takes names as they are', async () => {
      const model = `x'; DROP TABLE usage_record; --%_"\u{1F600}`
      const store = await filled(open, [{ model, keyId: "o'b" }])
      expect([
        await store.totals(ALL),
        await store.totals({ since: 0, by: 'key', keyId: "o'b" }),
      ]).toEqual([[usageTotal(model, 1)], [usageTotal("o'b", 1)]])
    })

    test('and keeps many records', async () => {
      const records = Array.from({ length: 2_000 }, (_, i) => ({ model: `m${i % 2}` }))
      const store = await filled(open, records)
      await store.flush()
      expect(await store.totals(ALL)).toEqual([usageTotal('m0', 1_000), usageTotal('m1', 1_000)])
    })

    test('and sums for several who ask at the same time', async () => {
      const store = await filled(open, [{}])
      const first = store.totals(ALL)
      store.append(usageRecord())
      const [one, two, byKey] = await Promise.all([
        first,
        store.totals(ALL),
        store.totals({ ...ALL, by: 'key' }),
      ])
      expect([one, two, byKey]).toEqual([
        [usageTotal('glm', 1)],
        [usageTotal('glm', 2)],
        [usageTotal('laptop', 2)],
      ])
    })

    test('and later sums do not change earlier ones', async () => {
      const store = await filled(open, [{}])
      const before = await store.totals(ALL)
      store.append(usageRecord())
      await store.totals(ALL)
      expect(before).toEqual([usageTotal('glm', 1)])
    })
  })
}
