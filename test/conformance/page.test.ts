import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Running } from '../harness.ts'
import { startLookAlike, type LookAlike } from '../support/look-alike.ts'
import { harnesses, ROOMY } from './gates.ts'

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

describe.each(harnesses)('on $name', (harness) => {
  let upstream: LookAlike
  let gate: Running
  beforeAll(async () => {
    upstream = await startLookAlike()
    gate = await harness.start({ upstream: { url: upstream.url }, ...ROOMY })
  })
  afterAll(async () => {
    await gate.stop()
    await upstream.stop()
  })

  function ask(method: string, accept: string): Promise<Response> {
    return fetch(`${gate.url}/`, { method, headers: { accept } })
  }

  test('a browser gets a page with settings for this gate, and rules that keep others out', async () => {
    const answer = await ask('GET', BROWSER)
    const text = await answer.text()
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'text/html; charset=UTF-8',
    ])
    expect(answer.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; script-src 'sha256-[\w+/]{43}='; style-src 'sha256-[\w+/]{43}='; /,
    )
    expect([text.startsWith('<!doctype html>'), text.endsWith('</html>\n')]).toEqual([true, true])
    expect(text).toContain(`<code>${gate.url}/v1</code>`)
    expect(answer.headers.get('vary')).toMatch(/\bAccept\b/)
  })

  test.each([BROWSER, '*/*'])('HEAD / with Accept: %s is 200 and empty', async (accept) => {
    const answer = await ask('HEAD', accept)
    expect([answer.status, await answer.text()]).toEqual([200, ''])
  })

  test('a program gets a line of text', async () => {
    const answer = await ask('GET', '*/*')
    expect([answer.status, await answer.text()]).toEqual([
      200,
      'swapgate is running. The API is below /v1 and needs a key.\n',
    ])
  })

  test('nobody is asked for it', async () => {
    await ask('GET', BROWSER)
    expect(upstream.requests.map(({ url }) => url)).not.toContain('/')
  })
})
