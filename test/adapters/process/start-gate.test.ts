import { afterEach, expect, test } from 'vitest'
import { harness } from '../../../adapters/node/harness.ts'
import type { ConfigFile } from '../../../src/config/schema.ts'
import type { Running } from '../../harness.ts'

const started: Running[] = []
afterEach(() => Promise.all(started.splice(0).map((gate) => gate.stop())))

async function outputWith(models: string[]): Promise<string> {
  const key = { id: 'k', secret: 'sk-0123456789abcdef0123456789', models }
  const config: ConfigFile = { keys: [key], upstream: { configFile: './nowhere.yaml' } }
  const gate = await harness.start(config)
  started.push(gate)
  return gate.output()
}

test('a limited key without the file of llama-swap is warned of: pins of profiles are not known', async () => {
  expect(await outputWith(['glm-4.7-flash'])).toContain('nowhere.yaml is not there')
})

test('a key for all models needs no such file, and nothing is said', async () => {
  expect(await outputWith(['*'])).not.toContain('nowhere.yaml')
})
