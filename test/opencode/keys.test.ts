import { expect, onTestFinished, test } from 'vitest'
import { KEY_VARIABLE } from './opencode.ts'
import { startScenario } from './scenario.ts'

// The title and the answer are two requests, and neither is sent a second time.
const REFUSALS = [
  {
    situation: 'a wrong key',
    environment: { [KEY_VARIABLE]: 'sk-wrong-0123456789abcdef0123456789' },
    message:
      'This API key is not known here. Check it for a missing character, or ask the owner of the gate for a key.',
    reason: 'credential-unknown',
  },
  {
    situation: 'a variable that is not set',
    environment: { [KEY_VARIABLE]: undefined },
    message:
      'No API key received. Send "Authorization: Bearer <key>" or "x-api-key: <key>"; is the variable that holds the key set in this shell?',
    reason: 'credential-missing',
  },
]

test.each(REFUSALS)(
  '$situation: one try, and the message of the gate word for word',
  async ({ environment, message, reason }) => {
    const scenario = await startScenario(() => ({ kind: 'text', text: 'Never said' }))
    onTestFinished(scenario.stop)
    const { exitCode, texts, errors } = await scenario.ask('Say hello', { environment })
    expect({ exitCode, texts, errors, ...(await scenario.outcome()) }).toEqual({
      exitCode: 1,
      texts: [],
      errors: [`APIError: ${message}`],
      box: {},
      gate: { [`- 401 refused ${reason}`]: 2 },
    })
  },
)
