import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { SPOKEN } from '../support/look-alike/completion.ts'
import { recordAttempts, statusesOf } from './attempts.ts'
import type { Box } from './gate.ts'
import { KEYS, startBox } from './gate.ts'
import { SDKS } from './sdks.ts'

const PACE_MS = 100

describe.each(SDKS)('an answer to $name', (sdk) => {
  let box: Box
  beforeAll(async () => {
    box = await startBox()
  })
  afterEach(() => box.upstream.reset())
  afterAll(() => box.stop())

  test('holds what upstream spoke, and its tokens', async () => {
    const { attempts, fetch } = recordAttempts()
    const answer = await sdk.answer({ url: box.url, key: KEYS.user, fetch })
    expect(answer).toEqual({
      text: SPOKEN.join(''),
      tokens: { prompt: 25, completion: SPOKEN.length },
    })
    expect(attempts).toMatchObject([{ path: sdk.path, answer: { status: 200 } }])
  })

  test('streams piece by piece, and ends with the tokens', async () => {
    const { attempts, fetch } = recordAttempts()
    const heard: string[] = []
    const tokens = await sdk.stream({ url: box.url, key: KEYS.user, fetch }, (text) =>
      heard.push(text),
    )
    expect({ heard: heard.filter((text) => text !== ''), tokens }).toEqual({
      heard: SPOKEN,
      tokens: { prompt: 25, completion: SPOKEN.length },
    })
    expect(statusesOf(attempts)).toEqual([200])
  })

  test('is heard while upstream still speaks', async () => {
    box.upstream.behave({ kind: 'normal', paceMs: PACE_MS })
    let firstHeardAt = Infinity
    await sdk.stream({ url: box.url, key: KEYS.user }, (text) => {
      if (text !== '') firstHeardAt = Math.min(firstHeardAt, performance.now())
    })
    // At least three more frames come behind the first word: half of their time is enough to tell.
    expect(performance.now() - firstHeardAt).toBeGreaterThan(1.5 * PACE_MS)
  })

  test("comes from a model's alias, under the name that was asked for", async () => {
    await sdk.answer({ url: box.url, key: KEYS.user, model: 'coder' })
    const { model, body } = await box.upstream.waitFor(({ url }) => url === sdk.path)
    const asked: unknown = JSON.parse(body.toString())
    expect({ model, asked }).toMatchObject({ model: 'coder', asked: { model: 'coder' } })
  })

  test('comes to a key that may use this model only', async () => {
    const ask = { url: box.url, key: KEYS.limited, model: 'glm-4.7-flash' }
    expect((await sdk.answer(ask)).text).toBe(SPOKEN.join(''))
  })

  test('shows upstream neither the key nor who asked', async () => {
    await sdk.answer({ url: box.url, key: KEYS.user })
    const { rawHeaders, headers } = await box.upstream.waitFor(({ url }) => url === sdk.path)
    expect(rawHeaders.join('\n')).not.toContain(KEYS.user)
    expect(headers['authorization']).toBeUndefined()
  })
})
