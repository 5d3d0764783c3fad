import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { overflow, overflowBody } from '../support/look-alike/error-answers.ts'
import { recordAttempts } from './attempts.ts'
import type { Box } from './gate.ts'
import { KEYS, startBox } from './gate.ts'
import type { Ask, Sdk, Told } from './sdks.ts'
import { SDKS } from './sdks.ts'

type Refusal = Omit<Told, 'error' | 'requestId'> & {
  /** The class that the packages of OpenAI and Anthropic throw. */
  thrown: string
}

const UNKNOWN_MODEL = {
  status: 404,
  type: 'not_found_error',
  code: 'model_not_found',
  thrown: 'NotFoundError',
}

const UNAUTHORISED = {
  status: 401,
  type: 'authentication_error',
  thrown: 'AuthenticationError',
}

/** What the gate refuses by itself. */
const REFUSALS: { when: string; ask: Pick<Ask, 'key' | 'model'>; refusal: Refusal }[] = [
  {
    when: 'a key is wrong',
    ask: { key: KEYS.unknown },
    refusal: {
      ...UNAUTHORISED,
      code: 'invalid_api_key',
      message:
        'This API key is not known here. Check it for a missing character, or ask the owner of the gate for a key.',
    },
  },
  {
    when: 'a key is missing',
    ask: { key: undefined },
    refusal: {
      ...UNAUTHORISED,
      code: 'missing_api_key',
      message:
        'No API key received. Send "Authorization: Bearer <key>" or "x-api-key: <key>"; is the variable that holds the key set in this shell?',
    },
  },
  {
    when: 'a key has expired',
    ask: { key: KEYS.expired },
    refusal: {
      ...UNAUTHORISED,
      code: 'expired_api_key',
      message: 'This API key has expired. Ask the owner of the gate for a new one.',
    },
  },
  {
    when: 'a key has no right to use models',
    ask: { key: KEYS.status },
    refusal: {
      status: 403,
      type: 'permission_error',
      code: 'scope_missing',
      thrown: 'PermissionDeniedError',
      message:
        'This API key lacks the scope "inference" that this path needs. The owner of the gate can add it to the key in config.json.',
    },
  },
  {
    when: 'a key may not use the model',
    ask: { key: KEYS.limited, model: 'gpt-oss-120b' },
    refusal: {
      ...UNKNOWN_MODEL,
      message: 'Unknown model "gpt-oss-120b". GET /v1/models lists what this key may use.',
    },
  },
  {
    when: 'a key of few models misspells one',
    ask: { key: KEYS.limited, model: 'glm-4.7-flesh' },
    refusal: {
      ...UNKNOWN_MODEL,
      message:
        'Unknown model "glm-4.7-flesh". Did you mean "glm-4.7-flash"? GET /v1/models lists what this key may use.',
    },
  },
]

const WAYS = ['answer', 'stream'] as const

/** What an SDK did with a question that must fail. */
async function failureOf(
  sdk: Sdk,
  way: (typeof WAYS)[number],
  ask: Ask,
): Promise<{ told: Told; error: unknown; attempts: number }> {
  const { attempts, fetch } = recordAttempts()
  const asked = { ...ask, fetch }
  const answered = way === 'answer' ? sdk.answer(asked) : sdk.stream(asked, () => {})
  const error: unknown = await answered.then(
    (value) => Promise.reject(new Error(`expected a failure, got ${JSON.stringify(value)}`)),
    (reason: unknown) => reason,
  )
  return { told: sdk.read(error), error, attempts: attempts.length }
}

function expectedOf(sdk: Sdk, { thrown, ...told }: Refusal): Told {
  const error = sdk.name === 'ai' ? 'APICallError' : thrown
  const code = sdk.name === '@anthropic-ai/sdk' ? null : told.code
  return { ...told, error, code, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) }
}

describe.each(SDKS)('$name', (sdk) => {
  let box: Box
  beforeAll(async () => {
    box = await startBox()
  })
  afterEach(() => box.upstream.reset())
  afterAll(() => box.stop())

  describe.each(WAYS)('asking for a %s', (way) => {
    test.each(REFUSALS)('is told at once when $when', async ({ ask, refusal }) => {
      const { told, attempts } = await failureOf(sdk, way, { url: box.url, ...ask })
      expect({ told, attempts }).toEqual({ told: expectedOf(sdk, refusal), attempts: 1 })
      expect(box.upstream.requests.filter(({ method }) => method === 'POST')).toEqual([])
    })

    test('is told at once when there is no such model', async () => {
      const ask = { url: box.url, key: KEYS.user, model: 'gpt-5' }
      const { told, attempts } = await failureOf(sdk, way, ask)
      const message = 'Unknown model "gpt-5". GET /v1/models lists what this key may use.'
      expect({ told, attempts }).toEqual({
        told: expectedOf(sdk, { ...UNKNOWN_MODEL, message }),
        attempts: 1,
      })
    })

    test('can tell that a prompt is too long', async () => {
      box.upstream.behave(overflow(70_123, 65_536))
      const { told, attempts } = await failureOf(sdk, way, { url: box.url, key: KEYS.user })
      const anthropic = sdk.name === '@anthropic-ai/sdk'
      expect({ told, attempts }).toEqual({
        told: expectedOf(sdk, {
          thrown: 'BadRequestError',
          status: 400,
          type: anthropic ? 'invalid_request_error' : 'exceed_context_size_error',
          code: 400,
          message: anthropic
            ? 'prompt is too long: 70123 tokens > 65536 maximum'
            : 'request (70123 tokens) exceeds the available context size (65536 tokens), try increasing it',
        }),
        attempts: 1,
      })
    })
  })

  test('names the request by the id that stands in the log of the gate', async () => {
    const { told } = await failureOf(sdk, 'answer', { url: box.url, key: KEYS.unknown })
    await expect
      .poll(() => box.gate.output())
      .toContain(`"requestId":"${told.requestId}","method":"POST","path":"${sdk.path}"`)
  })
})

describe('an error of the AI SDK', () => {
  let box: Box
  beforeAll(async () => {
    box = await startBox()
  })
  afterAll(() => box.stop())

  test("holds llama-server's words about a prompt that is too long, byte for byte", async () => {
    box.upstream.behave(overflow(70_123, 65_536))
    const ai = SDKS.find(({ name }) => name === 'ai')!
    const { error } = await failureOf(ai, 'answer', { url: box.url, key: KEYS.user })
    expect(error).toMatchObject({
      isRetryable: false,
      responseBody: overflowBody(70_123, 65_536),
    })
  })
})
