import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startLookAlike, type LookAlike } from '../look-alike.ts'
import { openRaw, sendRaw, type RawConnection } from '../raw-http.ts'
import { textOf } from '../raw-http/answer.ts'
import { rawJsonPost, rawRequest } from '../raw-http/raw-request.ts'

const FIRST = 'gpt-oss-120b'
const SECOND = 'glm-4.7-flash'
const THIRD = 'qwen3-coder-next'
const SWAP_MS = 60

let box: LookAlike
beforeAll(async () => {
  box = await startLookAlike({ swapMs: SWAP_MS, together: [SECOND, THIRD] })
})
afterEach(() => box.reset())
afterAll(() => box.stop())

function open(model: string): Promise<RawConnection> {
  return openRaw(box.url, rawJsonPost('/v1/chat/completions', { model, stream: true }))
}

/** The state of each model that `/running` lists. */
async function states(): Promise<Record<string, string>> {
  const answer = await sendRaw(box.url, rawRequest({ target: '/running' }))
  const list: { running: { model: string; state: string }[] } = JSON.parse(textOf(answer))
  return Object.fromEntries(list.running.map(({ model, state }) => [model, state]))
}

describe('a look-alike whose swaps take time', () => {
  test('loads the model that is asked for, tells its state meanwhile, and then answers', async () => {
    const client = await open(SECOND)
    await box.waitFor(({ model }) => model === SECOND)
    const during = await states()
    const { status } = await client.answer()
    expect([during, status, await states(), box.loads()]).toEqual([
      { [SECOND]: 'starting' },
      200,
      { [SECOND]: 'ready' },
      [SECOND],
    ])
  })

  test('lets a model that is never idle starve another one', async () => {
    box.behave({ kind: 'never-headers' })
    const first = await open(FIRST)
    const other = await open(SECOND)
    await box.waitFor(({ model }) => model === SECOND)
    const late = await open(FIRST)
    await late.answer()
    await sleep(2 * SWAP_MS)
    expect([box.loads(), other.received().length]).toEqual([[], 0])
    box.release()
    await first.answer()
    expect([(await other.answer()).status, box.loads()]).toEqual([200, [SECOND]])
  })

  test('forgets who leaves while waiting', async () => {
    box.behave({ kind: 'never-headers' })
    const first = await open(FIRST)
    const other = await open(SECOND)
    const call = await box.waitFor(({ model }) => model === SECOND)
    other.close()
    await call.closed
    box.release()
    await first.answer()
    await sleep(2 * SWAP_MS)
    expect([box.loads(), await states()]).toEqual([[], { [FIRST]: 'ready' }])
  })

  test('keeps the models of one group beside each other', async () => {
    await (await open(SECOND)).answer()
    box.behave({ kind: 'never-headers' })
    await open(SECOND)
    await (await open(THIRD)).answer()
    expect([await states(), box.loads(), box.peak()]).toEqual([
      { [SECOND]: 'ready', [THIRD]: 'ready' },
      [SECOND, THIRD],
      2,
    ])
  })

  test('brings a model back that was put out', async () => {
    for (const model of [SECOND, FIRST, SECOND]) await (await open(model)).answer()
    expect(box.loads()).toEqual([SECOND, FIRST, SECOND])
  })
})
