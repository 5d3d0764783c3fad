import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { PAGE_SCRIPT } from '../../../src/http/page-script.ts'
import { PAGE_STYLE } from '../../../src/http/page-style.ts'
import { openGate } from './open-gate.ts'

const BROWSER = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }
const hash = (text: string): string => createHash('sha256').update(text).digest('base64')

describe('GET / for a browser', () => {
  test('is a page that may run and ask for nothing but its own', async () => {
    const { ask, upstream } = await openGate()
    const { status, headers } = await ask('/', { headers: BROWSER })
    expect([status, headers, upstream.calls]).toEqual([
      200,
      {
        'content-type': 'text/html; charset=UTF-8',
        'cache-control': 'no-store',
        'content-security-policy': `default-src 'none'; script-src 'sha256-${hash(PAGE_SCRIPT)}'; style-src 'sha256-${hash(PAGE_STYLE)}'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        vary: 'Accept',
        'request-id': headers['x-request-id'],
        'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
      [],
    ])
  })

  test('holds its style and its script as the policy names them, and no other', async () => {
    const { ask } = await openGate()
    const { text } = await ask('/', { headers: BROWSER })
    expect([...text.matchAll(/<style>(.*?)<\/style>/gs)].map(([, style]) => style)).toEqual([
      PAGE_STYLE,
    ])
    expect([...text.matchAll(/<script>(.*?)<\/script>/gs)].map(([, script]) => script)).toEqual([
      PAGE_SCRIPT,
    ])
    expect(text).not.toMatch(/\son\w+=|\sstyle=|src=|href="(?!data:)/)
  })

  test('shows the base URL, from wherever it is known', async () => {
    const { ask } = await openGate()
    const { ask: askFixed } = await openGate({ publicUrl: 'https://llm.example' })
    const [own, fixed] = [
      await ask('/', { headers: BROWSER }),
      await askFixed('/', { headers: BROWSER }),
    ]
    expect(own.text).toContain('<body data-base="http://gate.test:3000">')
    expect(fixed.text).toContain('<body data-base="https://llm.example" data-fixed="1">')
    expect(fixed.text).toContain('<code>https://llm.example/v1</code>')
  })

  test('HEAD has the same fields and no body', async () => {
    const { ask } = await openGate()
    const [get, head] = [
      await ask('/', { headers: BROWSER }),
      await ask('/', { headers: BROWSER, method: 'HEAD' }),
    ]
    const own = { 'request-id': expect.any(String), 'x-request-id': expect.any(String) }
    expect([head.status, head.text, head.headers]).toEqual([200, '', { ...get.headers, ...own }])
  })

  test.each(['*/*', 'application/json', 'text/plain', ''])(
    'is a line of text for who accepts %j',
    async (accept) => {
      const { ask } = await openGate()
      const { headers, text } = await ask('/', { headers: { accept } })
      expect([headers['content-type'], headers['vary'], text]).toEqual([
        'text/plain; charset=UTF-8',
        'Accept',
        'swapgate is running. The API is below /v1 and needs a key.\n',
      ])
    },
  )
})
