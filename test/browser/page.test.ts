import { once } from 'node:events'
import type { Server } from 'node:http'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDemoServer, originOf } from '../../adapters/demo/server.ts'
import { harness } from '../../adapters/node/harness.ts'
import { KEYS, ROOMY } from '../conformance/gates.ts'
import type { Running } from '../harness.ts'
import { contrastIn } from './contrast.ts'
import { launchChromium, OTHER_NAME } from './chromium.ts'
import { startListing } from './listing-server.ts'

const CLIENTS = [
  'OpenCode',
  'Claude Code',
  'Codex',
  'Zed',
  'Continue',
  'Open WebUI',
  'aider',
  'curl',
]
/** A key for a model that is not there. */
const NO_MODEL = 'sk-none-0123456789abcdef0123456789a'
const KEY_LABEL = 'Key, as its owner gave it to you'

let demo: Server
let gate: Running
let browser: Browser
/** Screenshots, for a person to look at. */
const shots = mkdtempSync(join(tmpdir(), 'swapgate-page-'))

beforeAll(async () => {
  browser = await launchChromium()
  demo = createDemoServer({ loadMs: 20, tokensPerSecond: 5000 })
  demo.listen(0, '127.0.0.1')
  await once(demo, 'listening')
  const keys = [...ROOMY.keys, { id: 'none', secret: NO_MODEL, models: ['nothing'] }]
  gate = await harness.start({ ...ROOMY, keys, upstream: { url: originOf(demo) } })
})
afterAll(async () => {
  process.stdout.write(`screenshots: ${shots}\n`)
  await gate.stop()
  demo.closeAllConnections()
  demo.close()
  await browser.close()
})

/** An open page, and whatever it did that it should not. */
type Opened = { page: Page; faults: string[]; asked: string[] }

/** Opens the page in a browser of its own. Violations of its policy and errors of its script are kept. */
async function open(options: BrowserContextOptions = {}, url = gate.url): Promise<Opened> {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const faults: string[] = []
  const asked: string[] = []
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('console', (message) => {
    const isRefusal = message.text().startsWith('Failed to load resource')
    if (!isRefusal) faults.push(message.text())
  })
  page.on('request', (request) => asked.push(request.url()))
  await page.goto(`${url}/`)
  return { page, faults, asked }
}

/** Opens the page as through a proxy, which asks the gate for `host`, or for the gate's own address. */
async function openThrough(origin: string, host?: string): Promise<Opened> {
  const context = await browser.newContext()
  await context.route(`${origin}/**`, async (route) => {
    const request = route.request()
    const headers = { ...(await request.allHeaders()), ...(host !== undefined && { host }) }
    const { pathname, search } = new URL(request.url())
    const response = await route.fetch({ url: gate.url + pathname + search, headers })
    await route.fulfill({ response })
  })
  const page = await context.newPage()
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(error.message))
  await page.goto(`${origin}/`)
  return { page, faults, asked: [] }
}

async function enter(page: Page, key: string): Promise<void> {
  await page.getByLabel(KEY_LABEL).fill(key)
  await page.getByRole('button', { name: 'Show models' }).click()
}

/** Enters a key that opens every model, and waits until they are there. */
async function enterUser(page: Page): Promise<void> {
  await enter(page, KEYS.user)
  await page.locator('#models li').first().waitFor()
}

function section(page: Page, client: string): ReturnType<Page['locator']> {
  return page.locator('details', { has: page.getByText(client, { exact: true }) })
}

/** Opens the settings of a client, and gives the text of each of its blocks. */
async function blocksFor(page: Page, client: string): Promise<string[]> {
  await page.evaluate(`for (const element of document.querySelectorAll('details'))
    element.open = element.querySelector('h3').textContent === ${JSON.stringify(client)}`)
  return section(page, client).locator('pre code').allTextContents()
}

/** What a page of this machine, which may, reads from the clipboard. */
async function clipboardOf(page: Page): Promise<unknown> {
  const context = page.context()
  await context.grantPermissions(['clipboard-read'], { origin: gate.url })
  const reader = await context.newPage()
  await reader.goto(`${gate.url}/`)
  await reader.bringToFront()
  return reader.evaluate('navigator.clipboard.readText()')
}

describe('before a key is entered', () => {
  test('the page shows the settings of every client, for a model yet to be named', async () => {
    const { page, faults } = await open()
    expect(await page.locator('summary h3').allTextContents()).toEqual(CLIENTS)
    expect(await blocksFor(page, 'OpenCode')).toEqual([
      "export LLAMA_SWAP_API_KEY='sk-...'\n",
      `curl -fsS -H "Authorization: Bearer $LLAMA_SWAP_API_KEY" ${gate.url}/opencode.json -o opencode.json\nopencode run -m llama-swap/your-model 'Say hello'\n`,
      `swapgate opencode --write --url ${gate.url}\n`,
    ])
    expect(await page.locator('#found').isVisible()).toBe(false)
    expect(faults).toEqual([])
  })

  test('the same is there without JavaScript, and nothing that needs it', async () => {
    const { page } = await open({ javaScriptEnabled: false })
    expect(await page.locator('summary h3').allTextContents()).toEqual(CLIENTS)
    await section(page, 'curl').locator('summary').click()
    expect(await section(page, 'curl').locator('pre').last().innerText()).toContain(
      `${gate.url}/v1/chat/completions`,
    )
    expect([
      await page.getByLabel(KEY_LABEL).isVisible(),
      await page.locator('button:visible').count(),
      await page.locator('noscript').isVisible(),
    ]).toEqual([false, 0, true])
  })
})

describe('with a key', () => {
  test('the models are there with their contexts and where these are from', async () => {
    const { page, faults } = await open()
    await enterUser(page)
    expect(await page.locator('#models li code').allTextContents()).toEqual([
      'glm-4.7-flash',
      'gpt-oss-120b',
      'qwen3-coder-next',
    ])
    expect(await page.locator('#models li').nth(1).innerText()).toMatch(
      /^gpt-oss-120b\nGPT-OSS 120B \(Reasoning\)\n98,304 tokens, (?:exact|an estimate): ./,
    )
    expect(await page.locator('#said').innerText()).toBe(
      '3 models. The settings below are for qwen3-coder-next.',
    )
    expect(faults).toEqual([])
  })

  test('the settings are for the chosen model, with its numbers', async () => {
    const { page } = await open()
    await enterUser(page)
    expect((await blocksFor(page, 'Codex'))[1]).toContain('model = "qwen3-coder-next"')
    await page.getByLabel('Model in the settings below').selectOption('gpt-oss-120b')
    await page.getByText('The settings below are for gpt-oss-120b.').waitFor()
    const [, codex = ''] = await blocksFor(page, 'Codex')
    expect(codex.split('\n').slice(0, 4)).toEqual([
      'model = "gpt-oss-120b"',
      'model_provider = "swapgate"',
      'model_context_window = 98304',
      'model_auto_compact_token_limit = 81920',
    ])
  })

  test('the keyboard is enough', async () => {
    const { page } = await open()
    await page.getByLabel(KEY_LABEL).focus()
    await page.keyboard.type(KEYS.user)
    await page.keyboard.press('Enter')
    await page.locator('#models li').first().waitFor()
    await page.keyboard.press('Tab')
    const focused = 'getComputedStyle(document.activeElement).outlineStyle'
    expect([
      await page.evaluate('document.activeElement.textContent'),
      await page.evaluate(focused),
    ]).toEqual(['Show models', 'solid'])
  })

  test('a key that opens no model is told so', async () => {
    const { page } = await open()
    await enter(page, NO_MODEL)
    await page.getByText('This key opens no model.').waitFor()
    expect(await page.locator('#found').isVisible()).toBe(false)
  })

  test('the model that the settings begin with is the one that is chosen, though an alias stands before it', async () => {
    const about = { llamaswap: { type: 'alias', modelID: 'qwen3' } }
    const models = [{ id: 'coder', meta: about }, { id: 'qwen3' }]
    const upstream = await startListing(models)
    const gateOfAliases = await harness.start({ ...ROOMY, upstream: { url: upstream.url } })
    const { page } = await open({}, gateOfAliases.url)
    await enterUser(page)
    expect([
      await page.getByLabel('Model in the settings below').inputValue(),
      await page.locator('#said').innerText(),
    ]).toEqual(['qwen3', '2 models. The settings below are for qwen3.'])
    await gateOfAliases.stop()
    await upstream.stop()
  })

  test('only what the key may use is there', async () => {
    const { page } = await open()
    await enter(page, KEYS.limited)
    await page.locator('#models li').first().waitFor()
    expect(await page.locator('#models li code').allTextContents()).toEqual(['glm-4.7-flash'])
  })

  test.each([
    ['a key that nobody has', 'sk-wrong-0123456789abcdef', /key/],
    ['no key', ' ', /^Enter the key first\.$/],
    ['something that is no key', 'clé', /^A key has no spaces and no special letters\.$/],
  ])('%s is told beside the field', async (_what, key, said) => {
    const { page, faults } = await open()
    await enter(page, key)
    await page.locator('#said.bad').waitFor()
    expect([
      await page.locator('#said').innerText(),
      await page.getByLabel(KEY_LABEL).getAttribute('aria-invalid'),
      await page.locator('#found').isVisible(),
      faults,
    ]).toEqual([expect.stringMatching(said), 'true', false, []])
  })

  test('a gate that is out of reach is told, and the page goes on when it is back', async () => {
    const { page } = await open()
    await page.context().setOffline(true)
    await enter(page, KEYS.user)
    await page.getByText('The gate cannot be reached.').waitFor()
    await page.context().setOffline(false)
    await enterUser(page)
    expect(await page.locator('#said').innerText()).toContain('3 models.')
  })
})

describe('behind a proxy that the gate knows nothing of', () => {
  const origin = `https://${OTHER_NAME}`

  test.each([false, true])(
    'the file for OpenCode is for the address in the browser; with a key: %j',
    async (hasKey) => {
      const { page, faults } = await openThrough(origin, OTHER_NAME)
      if (hasKey) await enterUser(page)
      const [, line = '', merge] = await blocksFor(page, 'OpenCode')
      expect(line.split('\n')[0]).toBe(
        `curl -fsS -H "Authorization: Bearer $LLAMA_SWAP_API_KEY" '${origin}/opencode.json?base=${origin}' -o opencode.json`,
      )
      expect(merge).toBe(`swapgate opencode --write --url ${origin}\n`)
      expect(await page.locator('.row code').first().innerText()).toBe(`${origin}/v1`)
      expect(faults).toEqual([])
      const file = await page.evaluate(
        `fetch('/opencode.json?base=${origin}', { headers: { authorization: 'Bearer ${KEYS.user}' } }).then((answer) => answer.text())`,
      )
      expect(file).toContain(`"baseURL": "${origin}/v1"`)
    },
  )

  test.each([false, true])(
    'which asks for another host, a container still gets the address in the browser; with a key: %j',
    async (hasKey) => {
      const { page, faults } = await openThrough(origin)
      if (hasKey) await enterUser(page)
      const [, run = ''] = await blocksFor(page, 'Open WebUI')
      const [, line = ''] = await blocksFor(page, 'OpenCode')
      expect([
        run.includes(`OPENAI_API_BASE_URL=${origin}/v1 `),
        line.includes(` ${origin}/opencode.json -o`),
        faults,
      ]).toEqual([true, true, []])
    },
  )
})

describe('what a model is called', () => {
  test('stays text, whatever is in it', async () => {
    const id = '<img src=x onerror=document.title=1>'
    const name = '</script><script>document.title=2</script>'
    const upstream = await startListing([{ id, name, context_length: 4096 }])
    const evil = await harness.start({ ...ROOMY, upstream: { url: upstream.url } })
    const { page, faults } = await open({}, evil.url)
    await enterUser(page)
    const shown = await page.locator('#models li').innerText()
    expect(shown.split('\n').slice(0, 2)).toEqual([id, name])
    expect((await blocksFor(page, 'Continue'))[0]).toContain(`model: ${JSON.stringify(id)}`)
    expect([await page.title(), await page.locator('main img').count(), faults]).toEqual([
      'swapgate: connect a client',
      0,
      [],
    ])
    await evil.stop()
    await upstream.stop()
  })
})

describe('the key', () => {
  test('goes to this gate only, and stays nowhere', async () => {
    const { page, asked, faults } = await open()
    await enterUser(page)
    const kept = await page.evaluate(
      '(async () => [localStorage.length, sessionStorage.length, document.cookie, (await indexedDB.databases()).length, (await caches.keys()).length, history.state])()',
    )
    expect(kept).toEqual([0, 0, '', 0, 0, null])
    expect(asked.filter((url) => !url.startsWith('data:'))).toEqual([
      `${gate.url}/`,
      `${gate.url}/connect.json`,
    ])
    expect([page.url(), faults]).toEqual([`${gate.url}/`, []])
    await page.reload()
    expect(await page.getByLabel(KEY_LABEL).inputValue()).toBe('')
    expect(gate.output()).not.toContain(KEYS.user)
  })

  test('cannot be sent anywhere else, nor by a script that is not the page’s own', async () => {
    const { page } = await open()
    const violated: unknown = await page.evaluate(`new Promise((resolve) => {
      const seen = []
      document.addEventListener('securitypolicyviolation', (event) => {
        seen.push(event.effectiveDirective)
        if (seen.length === 4) resolve(seen.sort())
      })
      fetch('http://${OTHER_NAME}/').catch(() => {})
      const script = document.createElement('script')
      script.textContent = 'document.title = 1'
      document.body.append(script)
      const base = document.createElement('base')
      base.href = 'http://${OTHER_NAME}/'
      document.head.append(base)
      document.getElementById('ask').submit()
    })`)
    expect(violated).toEqual(['base-uri', 'connect-src', 'form-action', 'script-src-elem'])
  })
})

describe('a copy button', () => {
  test.each([false, true])('has a name that no other has; with a key: %j', async (hasKey) => {
    const { page } = await open()
    if (hasKey) await enterUser(page)
    const buttons = await page.locator('button.copy').all()
    const names = await Promise.all(buttons.map((button) => button.getAttribute('aria-label')))
    expect([names.length > 15, new Set(names).size, names[0], names[1]]).toEqual([
      true,
      names.length,
      'Copy: Base URL',
      'Copy: OpenCode, A terminal, with your key in place of sk-...',
    ])
  })

  test.each([
    ['of this machine', () => gate.url, 'true'],
    [
      'of plain http, which has no clipboard',
      () => gate.url.replace('127.0.0.1', OTHER_NAME),
      'false',
    ],
  ])('on a page %s copies the exact text', async (_what, url, isSecure) => {
    const { page } = await open({}, url())
    expect(String(await page.evaluate('isSecureContext'))).toBe(isSecure)
    await enterUser(page)
    const [, text] = await blocksFor(page, 'Claude Code')
    await section(page, 'Claude Code').locator('button.copy').nth(1).click()
    await page.getByText('Copied.', { exact: true }).waitFor()
    expect(text).toContain(`export ANTHROPIC_BASE_URL=${url()}\n`)
    expect(await clipboardOf(page)).toBe(text)
  })
})

describe('the look', () => {
  const schemes = ['light', 'dark'] as const

  test.each(schemes)('%s: every text stands out from its ground (WCAG 2.2, AA)', async (scheme) => {
    const { page } = await open({ colorScheme: scheme, viewport: { width: 1100, height: 900 } })
    await enterUser(page)
    await page.screenshot({ path: join(shots, `page-${scheme}.png`), fullPage: true })
    const ratios = await contrastIn(page, 'h1, h2, h3, p, label, button, code, figcaption, li, b')
    expect(ratios.length).toBeGreaterThan(20)
    expect(Math.min(...ratios)).toBeGreaterThanOrEqual(4.5)
  })

  test('light and dark are not the same', async () => {
    const grounds = schemes.map(async (colorScheme) => {
      const { page } = await open({ colorScheme })
      return page.evaluate('getComputedStyle(document.body).backgroundColor')
    })
    expect(await Promise.all(grounds)).toEqual(['rgb(247, 248, 249)', 'rgb(18, 22, 26)'])
  })

  test('on a small telephone nothing is wider than the screen', async () => {
    const { page } = await open({ viewport: { width: 360, height: 780 }, deviceScaleFactor: 2 })
    await enterUser(page)
    await page.screenshot({ path: join(shots, 'page-360.png'), fullPage: true })
    const widths: unknown[] = []
    for (const client of CLIENTS) {
      await blocksFor(page, client)
      widths.push(await page.evaluate('document.documentElement.scrollWidth'))
    }
    expect(widths).toEqual(CLIENTS.map(() => 360))
  })
})
