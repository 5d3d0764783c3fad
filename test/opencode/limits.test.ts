import { expect, onTestFinished, test } from 'vitest'
import { startScenario } from './scenario.ts'

test('a limit of the key: OpenCode waits as long as it is told, and then gets its answer', async () => {
  // The title and the first step take both requests; the next comes ten seconds after the first. A client that went by
  // its own times would be refused a second time.
  const limits = { requestsPerMinute: 6, burst: 2 }
  const scenario = await startScenario(
    (call) =>
      call.nth === 1
        ? { kind: 'tools', calls: [{ name: 'bash', input: { command: 'true', description: '' } }] }
        : { kind: 'text', text: 'Here I am.' },
    { config: { limits } },
  )
  onTestFinished(scenario.stop)
  const { exitCode, texts, tools, errors } = await scenario.ask('Run true')
  expect({ exitCode, texts, tools, errors, ...(await scenario.outcome()) }).toEqual({
    exitCode: 0,
    texts: ['Here I am.'],
    tools: ['bash completed'],
    errors: [],
    box: { title: 1, main: 2 },
    gate: { 'laptop 200 completed': 3, 'laptop 429 refused requests-per-minute': 1 },
  })
})
