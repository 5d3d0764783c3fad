import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { harness as node } from '../../adapters/node/harness.ts'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import { overflow, overflowBody } from '../support/look-alike/error-answers.ts'
import { sendRaw } from '../support/raw-http.ts'
import { headerValue, textOf, type RawAnswer } from '../support/raw-http/answer.ts'
import { rawJsonPost } from '../support/raw-http/raw-request.ts'
import { harnesses, KEYS, ROOMY } from './gates.ts'

const CHAT = '/v1/chat/completions'
const MESSAGES = '/v1/messages'
const MODEL = 'gpt-oss-120b'
const TOOLS = [{ type: 'function', function: { name: 'read', parameters: {} } }]
const EDGE = 'sk-edge-0123456789abcdef0123456789'

const STUCK =
  'This session is stuck: again and again its prompt did not fit into the model, also after it was compacted. What is always sent takes the space. Shorten AGENTS.md or CLAUDE.md, turn off MCP tools, or choose a model with more room, then start a new session.'
const STUCK_IN = {
  [CHAT]: {
    error: {
      message: STUCK,
      type: 'invalid_request_error',
      param: null,
      code: 'compaction_did_not_help',
    },
  },
  [MESSAGES]: { type: 'error', error: { type: 'invalid_request_error', message: STUCK } },
}
/** An overflow as it always is. */
const USUAL_IN = {
  [CHAT]: overflowBody(70_000, 65_536),
  [MESSAGES]: JSON.stringify({
    type: 'error',
    error: {
      type: 'invalid_request_error',
      message: 'prompt is too long: 70000 tokens > 65536 maximum',
    },
  }),
}

type Path = keyof typeof STUCK_IN
type Asked = { path?: Path; session?: Record<string, string>; tools?: unknown; stream?: boolean }

let sessions = 0
/** One that nobody has used. */
function newSession(header = 'X-Session-Id'): Record<string, string> {
  sessions++
  return { [header]: `session-${sessions}` }
}

describe.each(harnesses)('on $name', (harness) => {
  let upstream: LookAlike
  let home: Running
  let edge: Running
  let hasty: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
    const keys = [...ROOMY.keys, { id: 'edge', secret: EDGE, edge: true }]
    home = await harness.start({ ...ROOMY, keys, upstream: { url: upstream.url } })
    edge = await node.start({
      ...ROOMY,
      upstream: { kind: 'swapgate', url: home.url, apiKey: EDGE },
    })
    hasty = await harness.start({
      ...ROOMY,
      upstream: { url: upstream.url },
      heartbeat: { afterMs: 30, everyMs: 30 },
    })
  })
  afterEach(() => upstream.reset())
  afterAll(async () => {
    await hasty.stop()
    await edge.stop()
    await home.stop()
    await upstream.stop()
  })

  async function ask(url: string, asked: Asked): Promise<RawAnswer> {
    const { path = CHAT, session = {}, stream = true } = asked
    const tools = 'tools' in asked ? asked.tools : TOOLS
    const headers = { Authorization: `Bearer ${KEYS.user}`, ...session }
    const body = { model: MODEL, messages: [], stream, ...(tools !== undefined && { tools }) }
    return sendRaw(url, rawJsonPost(path, body, headers))
  }

  async function overflows(asked: Asked, url = home.url, tokens = 70_000): Promise<string> {
    upstream.behave(overflow(tokens, 65_536))
    const answer = await ask(url, asked)
    expect([answer.status, headerValue(answer, 'x-should-retry')]).toEqual([400, 'false'])
    return textOf(answer)
  }

  async function timesUsual(times: number, asked: Asked): Promise<boolean> {
    const texts: string[] = []
    for (let i = 0; i < times; i++) texts.push(await overflows(asked))
    return texts.every((text) => text === USUAL_IN[asked.path ?? CHAT])
  }

  test.each<[Path, string]>([
    [CHAT, 'X-Session-Id'],
    [MESSAGES, 'X-Claude-Code-Session-Id'],
  ])(
    '%s: three overflows of a session are told as always, and the fourth ends it',
    async (path, header) => {
      const session = newSession(header)
      expect(await timesUsual(3, { path, session })).toBe(true)
      const ends = [await overflows({ path, session }), await overflows({ path, session })]
      expect(ends.map((text): unknown => JSON.parse(text))).toEqual([
        STUCK_IN[path],
        STUCK_IN[path],
      ])
      await expect.poll(() => home.output()).toContain('"reason":"overflow-loop"')
    },
  )

  test('an answer of the session begins the count anew, one to a request without tools does not', async () => {
    const session = newSession()
    expect(await timesUsual(2, { session })).toBe(true)
    expect((await ask(home.url, { session })).status).toBe(200)
    expect(await timesUsual(3, { session })).toBe(true)
    for (const tools of [undefined, [], null])
      expect((await ask(home.url, { session, tools })).status).toBe(200)
    expect(JSON.parse(await overflows({ session }))).toEqual(STUCK_IN[CHAT])
  })

  test('other sessions and requests without one are as always', async () => {
    const session = newSession()
    expect(await timesUsual(3, { session })).toBe(true)
    expect([
      await timesUsual(3, { session: newSession() }),
      await timesUsual(3, { session, tools: null }),
      await timesUsual(5, {}),
    ]).toEqual([true, true, true])
  })

  test('a client whose prompts get shorter each time is told of each as always', async () => {
    const session = newSession()
    const texts: string[] = []
    const lengths = [110_000, 100_000, 90_000, 80_000, 70_000]
    for (const tokens of lengths) texts.push(await overflows({ session }, home.url, tokens))
    expect(texts).toEqual(lengths.map((tokens) => overflowBody(tokens, 65_536)))
  })

  test('overflows of requests that were under way at the same time count once', async () => {
    const session = newSession()
    const five = Array.from({ length: 5 }, () => ({ ...overflow(70_000, 65_536), afterMs: 200 }))
    upstream.behave(...five)
    const answers = await Promise.all(five.map(() => ask(home.url, { session })))
    expect(answers.map(textOf)).toEqual(five.map(() => USUAL_IN[CHAT]))
    expect(await timesUsual(2, { session })).toBe(true)
    expect(JSON.parse(await overflows({ session }))).toEqual(STUCK_IN[CHAT])
  })

  test('overflows behind a heartbeat, which no client can read, do not count', async () => {
    const session = newSession()
    for (let i = 0; i < 4; i++) {
      upstream.behave({ ...overflow(70_000, 65_536), afterMs: 300 })
      const { status } = await ask(hasty.url, { session })
      expect(status).toBe(200)
    }
    expect(await overflows({ session }, hasty.url)).toBe(USUAL_IN[CHAT])
  })

  test('a gate in front passes the end on', async () => {
    const session = newSession()
    for (let i = 0; i < 3; i++) expect(await overflows({ session }, edge.url)).toBe(USUAL_IN[CHAT])
    upstream.behave(overflow(70_000, 65_536))
    const answer = await ask(edge.url, { session })
    expect({
      status: answer.status,
      body: JSON.parse(textOf(answer)),
      retry: headerValue(answer, 'x-should-retry'),
      mark: headerValue(answer, 'swapgate-error'),
    }).toEqual({ status: 400, body: STUCK_IN[CHAT], retry: 'false', mark: 'overflow-loop' })
  })
})
