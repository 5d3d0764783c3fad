import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ANSWERED, hello } from './household.ts'
import { KEY_VARIABLE } from './opencode.ts'
import { KEY, MODEL, startScenario, type Scenario } from './scenario.ts'

const NO_KEY = { '- 401 refused credential-missing': 2 }

/** A user whose provider has these names in "env", and a gate that knows the key. */
async function withNames(
  names: readonly string[],
  options: Record<string, string> = {},
): Promise<Scenario> {
  const scenario = await startScenario(hello, { isEmpty: true })
  onTestFinished(scenario.stop)
  const limit = { context: 131_072, input: 131_072, output: 16_384 }
  const provider = {
    npm: '@ai-sdk/openai-compatible',
    env: names,
    options: { baseURL: `${scenario.gate.url}/v1`, ...options },
    models: { [MODEL]: { name: MODEL, tool_call: true, limit } },
  }
  scenario.user.write('opencode.json', JSON.stringify({ provider: { 'llama-swap': provider } }))
  return scenario
}

/** As `opencode auth login` leaves it. */
function storeKey({ user }: Scenario): void {
  const folder = join(user.environment['XDG_DATA_HOME'] ?? '', 'opencode')
  mkdirSync(folder, { recursive: true })
  const stored = { 'llama-swap': { type: 'api', key: KEY } }
  writeFileSync(join(folder, 'auth.json'), JSON.stringify(stored))
}

test('one name in "env": the key in that variable is sent', async () => {
  const scenario = await withNames(['MY_KEY'])
  await scenario.ask('Say hello', { environment: { [KEY_VARIABLE]: undefined, MY_KEY: KEY } })
  expect((await scenario.outcome()).gate).toEqual(ANSWERED.gate)
})

test.each<[string, Record<string, string | undefined>]>([
  ['the first is', { [KEY_VARIABLE]: undefined, MY_KEY: KEY }],
  ['the second is', {}],
  ['both are', { MY_KEY: KEY }],
])('two names in "env": no key is sent where %s set', async (_, environment) => {
  const scenario = await withNames(['MY_KEY', KEY_VARIABLE])
  await scenario.ask('Say hello', { environment })
  expect((await scenario.outcome()).gate).toEqual(NO_KEY)
})

test('two names in "env" do no harm where apiKey names the variable', async () => {
  const scenario = await withNames(['MY_KEY', KEY_VARIABLE], { apiKey: `{env:${KEY_VARIABLE}}` })
  await scenario.ask('Say hello')
  expect((await scenario.outcome()).gate).toEqual(ANSWERED.gate)
})

test('two names in "env" do no harm where a key is stored', async () => {
  const scenario = await withNames(['MY_KEY', KEY_VARIABLE])
  storeKey(scenario)
  await scenario.ask('Say hello', { environment: { MY_KEY: 'sk-wrong-0123456789abcdef' } })
  expect((await scenario.outcome()).gate).toEqual(ANSWERED.gate)
})
