import { describe, expect, test } from 'vitest'
import { KEYS, openGate, type Asked } from './open-gate.ts'
import type { ConfigFile } from '../../../src/config/schema.ts'

/** The base URL that a client is told. */
async function baseUrlFor(url: string, asked: Asked, config: ConfigFile = {}): Promise<unknown> {
  const { ask } = await openGate(config)
  const { text } = await ask(url, { key: KEYS.user, ...asked })
  const told: { baseUrl?: unknown } = JSON.parse(text)
  return told.baseUrl
}

const HTTPS = { 'x-forwarded-proto': 'https' }
const PROXY = { trustedProxies: [{ from: ['10.0.0.1'], kind: 'x-forwarded-for' as const }] }
const BY_PROXY = {
  headers: { ...HTTPS, 'x-forwarded-for': '203.0.113.7' },
  host: { clientAddress: '10.0.0.1' },
}

describe('the base URL that clients are told', () => {
  test.each([
    ['http://box:3000', 'http://box:3000'],
    ['http://192.168.1.5', 'http://192.168.1.5'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
    ['https://gate.example.workers.dev', 'https://gate.example.workers.dev'],
  ])('is %s where the request went there', async (origin, told) => {
    const { host } = new URL(origin)
    expect(await baseUrlFor(`${origin}/connect.json`, { headers: { host } })).toBe(told)
  })

  test.each([
    ['https://llm.example', 'https://llm.example'],
    ['https://llm.example/gate/', 'https://llm.example/gate'],
  ])('is publicUrl %s wherever the request went', async (publicUrl, told) => {
    expect(await baseUrlFor('/connect.json', BY_PROXY, { publicUrl })).toBe(told)
  })

  test('is https where a trusted proxy says so', async () => {
    expect(await baseUrlFor('/connect.json', BY_PROXY, PROXY)).toBe('https://gate.test:3000')
  })

  test.each([
    ['nobody is trusted', BY_PROXY, {}],
    ['it comes from somebody else', { ...BY_PROXY, host: { clientAddress: '10.0.0.2' } }, PROXY],
    [
      'the proxy itself says http, whatever the client wrote before it',
      { ...BY_PROXY, headers: { ...BY_PROXY.headers, 'x-forwarded-proto': 'https, http' } },
      PROXY,
    ],
  ])('is http where %s', async (_what, asked, config) => {
    expect(await baseUrlFor('/connect.json', asked, config)).toBe('http://gate.test:3000')
  })
})
