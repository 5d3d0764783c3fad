import { expect, onTestFinished, test } from 'vitest'
import type { ConfigFile } from '../../src/config/schema.ts'
import type { ChatCall } from './chat-call.ts'
import type { Reply } from './reply.ts'
import { startScenario, type Scenario } from './scenario.ts'

/** The first request has the model loaded. */
function loading(call: ChatCall): Reply {
  return { kind: 'text', text: 'Loaded.', ...(call.nth === 1 && { loadMs: 20_000 }) }
}

function startWith(heartbeat: ConfigFile['heartbeat']): Promise<Scenario> {
  return startScenario(loading, { config: { heartbeat }, patienceMs: 5_000 })
}

test('a model that loads for 20 seconds: heartbeats keep an OpenCode of five seconds of patience waiting, and it asks once', async () => {
  const scenario = await startWith({ afterMs: 2_000, everyMs: 2_000 })
  onTestFinished(scenario.stop)
  const { exitCode, texts, errors } = await scenario.ask('Say hello')
  expect({ exitCode, texts, errors, ...(await scenario.outcome()) }).toEqual({
    exitCode: 0,
    texts: ['Loaded.'],
    errors: [],
    box: { title: 1, main: 1 },
    gate: { 'laptop 200 completed': 2 },
  })
})

test('the same without heartbeats: OpenCode gives up after five seconds and asks again', async () => {
  const scenario = await startWith({ afterMs: 0 })
  onTestFinished(scenario.stop)
  const { exitCode, texts, errors } = await scenario.ask('Say hello')
  expect({ exitCode, texts, errors, ...(await scenario.outcome()) }).toEqual({
    exitCode: 0,
    texts: ['Loaded.'],
    errors: [],
    box: { title: 1, main: 2 },
    gate: { 'laptop 200 completed': 2, 'laptop 499 client-closed': 1 },
  })
})
