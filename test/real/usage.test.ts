import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { harness as node } from '../../adapters/node/harness.ts'
import type { Running } from '../harness.ts'
import { eventually } from './client.ts'
import type { Counters } from './counters.ts'
import { readCounters } from './counters.ts'
import type { LlamaServer } from './llama-server.ts'
import { startLlamaServer } from './llama-server.ts'
import type { Call } from './mixed-calls.ts'
import { drawCalls, makeCalls, seededDraw } from './mixed-calls.ts'

const KEYS = {
  laptop: 'sk-laptop-0123456789abcdef01234567',
  friend: 'sk-friend-0123456789abcdef01234567',
}
const STATUS_KEY = 'sk-status-0123456789abcdef012345678'
const SLOTS = 4
/** About 4 ms per token: a client that leaves a faster model is noticed some tokens later. */
const PACED_MEGABYTES = 100

const FIRST: Call = {
  key: KEYS.laptop,
  path: '/v1/chat/completions',
  body: {
    model: 'gpt-oss-120b',
    messages: [{ role: 'user', content: 'hello' }],
    stream: false,
    max_tokens: 2,
  },
  leavesAfter: undefined,
}

const sumsSchema = z.object({
  requests: z.number(),
  completed: z.number(),
  prompt_tokens: z.number(),
  cached_tokens: z.number(),
  completion_tokens: z.number(),
  estimated_requests: z.number(),
})
const reportSchema = z.object({
  data: z.array(sumsSchema.extend({ key: z.string() })),
  total: sumsSchema,
})
type Report = z.infer<typeof reportSchema>

async function reportOf({ url }: Running): Promise<Report> {
  const headers = { authorization: `Bearer ${STATUS_KEY}` }
  return reportSchema.parse(await (await fetch(`${url}/usage?by=key`, { headers })).json())
}

/** What the gate counted, in the same terms as llama-server. */
function countersOf({ total }: Report): Counters {
  const { prompt_tokens: prompt, cached_tokens: cached, completion_tokens: completion } = total
  return { prompt: prompt - cached, cached, completion }
}

const callsByKey = (calls: readonly Call[]): Record<string, number> =>
  Object.fromEntries(
    Object.entries(KEYS).map(([id, secret]) => [
      id,
      calls.filter(({ key }) => key === secret).length,
    ]),
  )

type Box = { server: LlamaServer; gate: Running }

/** A llama-server that reads so many megabytes for each token, and a gate in front of it. */
async function startBox(ballastMegabytes: number): Promise<Box> {
  const server = await startLlamaServer({
    model: 'gpt-oss-120b',
    contextSize: 4096,
    parallel: SLOTS,
    script: { ballastMegabytes },
    extraArgs: ['--metrics'],
  })
  onTestFinished(() => server.stop())
  const limits = { requestsPerMinute: null }
  const gate = await node.start({
    upstream: { url: server.url },
    keys: [
      ...Object.entries(KEYS).map(([id, secret]) => ({ id, secret, limits })),
      { id: 'status', secret: STATUS_KEY, scopes: ['status'] },
    ],
    queue: { slotsPerModel: SLOTS },
  })
  onTestFinished(() => gate.stop())
  return { server, gate }
}

type Reconciled = { report: Report; gap: Counters }

/** Both counts after all calls, once neither has any under way. */
async function reconcile({ server, gate }: Box, calls: Call[]): Promise<Reconciled> {
  const startedAt = performance.now()
  // Its answer shows that this is llama.cpp, which is asked for the prompt of streams that are cut.
  await makeCalls(gate.url, [FIRST], 1)
  await makeCalls(gate.url, calls, SLOTS)
  await eventually('all requests are counted', async () => {
    const { total } = await reportOf(gate)
    return total.requests === calls.length + 1
  })
  await eventually('all slots are idle', async () =>
    (await server.slots()).every(({ is_processing: isBusy }) => !isBusy),
  )
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  const report = await reportOf(gate)
  const counted = countersOf(report)
  const computed = await readCounters(server)
  const gap = {
    prompt: counted.prompt - computed.prompt,
    cached: counted.cached - computed.cached,
    completion: counted.completion - computed.completion,
  }
  const { requests, completed } = report.total
  console.log(`${requests} calls, ${requests - completed} of them cut, in ${seconds} s`)
  console.table({ 'the gate': counted, 'llama-server': computed, difference: gap })
  return { report, gap }
}

const requestsByKey = ({ data }: Report): Record<string, number> =>
  Object.fromEntries(data.map(({ key, requests }) => [key, requests]))

describe('what the gate counts of 300 mixed calls of two keys', () => {
  test('is what llama-server computed, token for token, when all are completed', async () => {
    const calls = drawCalls(seededDraw(1), Object.values(KEYS), { whole: 299, cut: 0 })
    const { report, gap } = await reconcile(await startBox(0), calls)
    expect(gap).toEqual({ prompt: 0, cached: 0, completion: 0 })
    expect(report.total).toMatchObject({ requests: 300, completed: 300, estimated_requests: 0 })
    expect(requestsByKey(report)).toEqual(callsByKey([FIRST, ...calls]))
  })

  test('is off by at most a token per cut stream, and in answers only, when 90 are cut', async () => {
    const calls = drawCalls(seededDraw(2), Object.values(KEYS), { whole: 209, cut: 90 })
    const { report, gap } = await reconcile(await startBox(PACED_MEGABYTES), calls)
    expect(gap).toEqual({ prompt: 0, cached: 0, completion: gap.completion })
    expect(gap.completion).toBeLessThanOrEqual(90)
    // A busy machine notices a cut after fewer tokens, hardly ever after more.
    expect(gap.completion).toBeGreaterThan(-90 / 2)
    expect(report.total).toMatchObject({ requests: 300, completed: 210, estimated_requests: 90 })
    expect(requestsByKey(report)).toEqual(callsByKey([FIRST, ...calls]))
  })
})
