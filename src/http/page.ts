import type { Deps, HeaderPairs, Sha256 } from '../deps.ts'
import { KEY_VARIABLE } from '../opencode/render-config.ts'
import { baseUrlOf } from './base-url.ts'
import { snippetsFor } from './connect-settings.ts'
import type { GateMiddleware } from './gate-env.ts'
import { ownAnswer } from './own-answer.ts'
import { pageHtml } from './page-html.ts'
import { PAGE_SCRIPT } from './page-script.ts'
import { PAGE_STYLE } from './page-style.ts'

const encoder = new TextEncoder()

/** `GET /` for a browser: how to connect a client. Whoever asks for no page goes on. */
export function page({ config, sha256 }: Pick<Deps, 'config' | 'sha256'>): GateMiddleware {
  let policy: Promise<string> | undefined
  return async (c, next) => {
    if (!/\btext\/html\b/i.test(c.req.header('accept') ?? '')) return next()
    policy ??= contentPolicy(sha256)
    const baseUrl = baseUrlOf(c, config.publicUrl)
    const to = { baseUrl, models: [], keyVariable: KEY_VARIABLE }
    const isBaseUrlFixed = config.publicUrl !== undefined
    const html = pageHtml({ baseUrl, isBaseUrlFixed, snippets: snippetsFor(to) })
    const headers: HeaderPairs = [
      ['content-type', 'text/html; charset=UTF-8'],
      ['cache-control', 'no-store'],
      ['vary', 'Accept'],
      ['content-security-policy', await policy],
      ['x-content-type-options', 'nosniff'],
      ['referrer-policy', 'no-referrer'],
      ['cross-origin-opener-policy', 'same-origin'],
      ['cross-origin-resource-policy', 'same-origin'],
    ]
    return ownAnswer(c, { status: 200, headers, body: encoder.encode(html) })
  }
}

/** Nothing runs and nothing is asked but what the page itself brings (CSP 3 §2.3.1). */
async function contentPolicy(sha256: Sha256): Promise<string> {
  const source = async (text: string) => `'sha256-${base64OfHex(await sha256(text))}'`
  return [
    "default-src 'none'",
    `script-src ${await source(PAGE_SCRIPT)}`,
    `style-src ${await source(PAGE_STYLE)}`,
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

function base64OfHex(hex: string): string {
  return btoa(hex.replace(/../g, (byte) => String.fromCharCode(Number.parseInt(byte, 16))))
}
