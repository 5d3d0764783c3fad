import { expect, onTestFinished, test } from 'vitest'
import type { ChatCall } from './chat-call.ts'
import { ANSWERED, HOUSEHOLD, KEYS, hello, offered } from './household.ts'
import type { Reply } from './reply.ts'
import { KEY, MODEL, startScenario, type Scenario } from './scenario.ts'

const CONTEXT = 131_072
/** What is kept for the answer: OpenCode compacts when no more than this is left. */
const RESERVE = 16_384
/** Of each scripted answer. */
const ANSWER = 16

async function generatedFile({ gate }: Scenario): Promise<string> {
  const headers = { authorization: `Bearer ${KEY}` }
  const response = await fetch(`${gate.url}/opencode.json`, { headers })
  expect(response.status).toBe(200)
  return response.text()
}

test('GET /opencode.json, saved: OpenCode offers the models of the key that chat, and is answered', async () => {
  const scenario = await startScenario(hello, {
    config: { keys: KEYS },
    models: HOUSEHOLD,
    isEmpty: true,
  })
  onTestFinished(scenario.stop)
  scenario.user.write('opencode.json', await generatedFile(scenario))
  expect(await offered(scenario)).toEqual(['llama-swap/gpt-oss-120b', `llama-swap/${MODEL}`])
  const { exitCode, texts, errors } = await scenario.ask('Say hello')
  expect({ exitCode, texts, errors, ...(await scenario.outcome()) }).toEqual(ANSWERED)
})

test('GET /opencode.json in a variable: the same without any file', async () => {
  const scenario = await startScenario(hello, { isEmpty: true })
  onTestFinished(scenario.stop)
  const environment = { OPENCODE_CONFIG_CONTENT: await generatedFile(scenario) }
  const { exitCode, texts, errors } = await scenario.ask('Say hello', { environment })
  expect({ exitCode, texts, errors, ...(await scenario.outcome()) }).toEqual(ANSWERED)
})

/** The first answer has used so many tokens, prompt and answer together; what follows is short. */
function usingAtFirst(tokens: number): (call: ChatCall) => Reply {
  return ({ kind, nth }) =>
    kind === 'main' && nth === 1
      ? { kind: 'text', text: 'A long way to here.', promptTokens: tokens - ANSWER }
      : { kind: 'text', text: 'Short.' }
}

const FULL = CONTEXT - RESERVE

test.each([
  { tokens: FULL - 1, does: 'goes on', box: { title: 1, main: 1 } },
  { tokens: FULL, does: 'compacts', box: { title: 1, main: 2, compaction: 1 } },
])('with the generated limits OpenCode $does at $tokens tokens', async ({ tokens, box }) => {
  const scenario = await startScenario(usingAtFirst(tokens), { isEmpty: true })
  onTestFinished(scenario.stop)
  scenario.user.write('opencode.json', await generatedFile(scenario))
  const { exitCode, errors } = await scenario.ask('Say hello')
  const outcome = await scenario.outcome()
  expect({ exitCode, errors, box: outcome.box }).toEqual({ exitCode: 0, errors: [], box })
})
