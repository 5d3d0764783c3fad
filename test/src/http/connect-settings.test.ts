import { expect, test } from 'vitest'
import { CLIENTS } from '../../../src/connect/clients.ts'
import type { ConnectSettings } from '../../../src/http/connect-settings.ts'
import { codeOf, KEYS, openGate } from './open-gate.ts'

async function settingsFor(key: string, query = ''): Promise<ConnectSettings> {
  const { ask } = await openGate()
  const { text } = await ask(`/connect.json${query}`, { key })
  const settings: ConnectSettings = JSON.parse(text)
  return settings
}

test('GET /connect.json tells the models of the key, with what is known of their contexts', async () => {
  const { baseUrl, model, models } = await settingsFor(KEYS.user)
  expect([baseUrl, model, models.map(({ id }) => id)]).toEqual([
    'http://gate.test:3000',
    'glm-4.7-flash',
    ['glm-4.7-flash', 'gpt-oss-120b', 'cloud/x'],
  ])
  expect(models[0]).toEqual({
    id: 'glm-4.7-flash',
    name: 'glm-4.7-flash',
    use: 'chat',
    isLoaded: expect.any(Boolean),
    context: 32_768,
    source: 'listing',
    certainty: 'estimate',
    why: expect.stringMatching(/./),
  })
  expect(models[1]).toMatchObject({ context: null, source: 'unknown', certainty: null })
})

test('and the settings of every client, with the variable of the key in the place of the key', async () => {
  const { snippets } = await settingsFor(KEYS.user)
  expect(snippets.map(({ client }) => client)).toEqual([...CLIENTS])
  expect(JSON.stringify(snippets)).toContain('$LLAMA_SWAP_API_KEY')
  expect(JSON.stringify(snippets)).not.toContain(KEYS.user)
})

test('for the model that is asked for', async () => {
  const { model, snippets } = await settingsFor(KEYS.user, '?model=cloud%2Fx')
  expect(model).toBe('cloud/x')
  const named = snippets.filter(({ blocks }) => JSON.stringify(blocks).includes('cloud/x'))
  // Zed has to know the context, which nobody knows of this one.
  expect(named.map(({ client }) => client)).toEqual(CLIENTS.filter((client) => client !== 'zed'))
})

test('a key for one model is told of no other', async () => {
  const settings = await settingsFor(KEYS.limited)
  expect(settings.models.map(({ id }) => id)).toEqual(['glm-4.7-flash'])
  expect(JSON.stringify(settings)).not.toMatch(/gpt-oss|cloud/)
})

test.each(['?model=gpt-oss-120b', '?model=', '?provider=x'])(
  '%s is refused for a key that may not use such a model',
  async (query) => {
    const { ask } = await openGate()
    const answer = await ask(`/connect.json${query}`, { key: KEYS.limited })
    expect([answer.status, codeOf(answer)]).toEqual([400, 'invalid_request'])
  },
)

test('it is never kept', async () => {
  const { ask } = await openGate()
  const { headers } = await ask('/connect.json', { key: KEYS.user })
  expect(headers['cache-control']).toBe('no-store')
})
