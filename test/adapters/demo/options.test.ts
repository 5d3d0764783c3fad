import { describe, expect, test } from 'vitest'
import { readSettings } from '../../../adapters/demo/options.ts'

describe('the settings', () => {
  test('have a default each', () => {
    expect(readSettings({ HOST: '', PORT: '' })).toEqual({
      ok: true,
      host: '127.0.0.1',
      port: 8080,
      demo: { loadMs: 1500, tokensPerSecond: 60 },
    })
  })

  test('come from the environment', () => {
    const env = { HOST: '::1', PORT: '0', DEMO_LOAD_MS: '0', DEMO_TOKENS_PER_SECOND: '0.5' }

    expect(readSettings(env)).toEqual({
      ok: true,
      host: '::1',
      port: 0,
      demo: { loadMs: 0, tokensPerSecond: 0.5 },
    })
  })

  test.each([
    [{ PORT: 'http' }, 'PORT must be a port number, not "http"'],
    [{ PORT: '70000' }, 'PORT must be a port number, not "70000"'],
    [{ DEMO_LOAD_MS: '-1' }, 'DEMO_LOAD_MS must be 0 or more, not "-1"'],
    [{ DEMO_TOKENS_PER_SECOND: '0' }, 'DEMO_TOKENS_PER_SECOND must be above 0, not "0"'],
  ])('%j are refused', (env, message) => {
    expect(readSettings(env)).toEqual({ ok: false, message })
  })
})
