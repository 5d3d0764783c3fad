import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cleanUp, newFolder, runCli } from './run-cli.ts'

const KEY = 'key-of-this-test'
const EMPTY = JSON.stringify({ object: 'list', data: [], has_more: false })
/** Answers that wait until somebody has seen that they are slow. */
const held: ServerResponse[] = []

const server = createServer(({ url, headers }, response) => {
  if (url === '/slow/v1/models') held.push(response)
  else if (url === '/moved/v1/models') response.writeHead(307, { location: '/v1/models' }).end()
  else if (url === '/v1/models') response.end(EMPTY)
  else {
    const message = `What is ${headers.authorization}?`
    response.writeHead(500).end(JSON.stringify({ error: { message } }))
  }
})
let url = ''

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  url = typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : ''
})
afterAll(() => {
  server.close()
  cleanUp()
})

const SLOW = { timeout: 60_000 }
const env = { LLAMA_SWAP_API_KEY: KEY }

describe.concurrent('a gate that is asked', () => {
  test('may repeat the key: it is not printed', SLOW, async () => {
    const cli = runCli(newFolder(), ['opencode', '--url', `${url}/echo`], env)
    expect(await cli.ended).toEqual([1, null])
    expect([cli.stdout(), cli.stderr()]).toEqual([
      '',
      `swapgate: ${url}/echo answered with 500: What is Bearer <the key>?
Try again. If it stays so, the log of the gate says why.
`,
    ])
  })

  test('may send on to another address: the key does not go there by itself', SLOW, async () => {
    const cli = runCli(newFolder(), ['opencode', '--url', `${url}/moved`], env)
    expect(await cli.ended).toEqual([1, null])
    expect([cli.stdout(), cli.stderr()]).toEqual([
      '',
      `swapgate: ${url}/moved sends on to ${url}/v1/models.\n--url ${url}\n`,
    ])
  })

  test('may be slow: that is told, and waited for', SLOW, async () => {
    const cli = runCli(newFolder(), ['opencode', '--url', `${url}/slow`], env)
    await cli.written(/waiting for/)
    expect(cli.stderr()).toBe(`swapgate: waiting for ${url}/slow …\n`)
    held.forEach((response) => response.end(EMPTY))
    expect(await cli.ended).toEqual([0, null])
  })

  test.each<[string, NodeJS.ProcessEnv, boolean]>([
    ['no variable', {}, true],
    ['an empty NO_COLOR', { NO_COLOR: '' }, true],
    ['NO_COLOR', { NO_COLOR: '1' }, false],
  ])('is told of in colours on a terminal with %s: %j', SLOW, async (_, ...[own, hasColours]) => {
    const folder = newFolder()
    writeFileSync(join(folder, 'opencode.json'), '{}')
    const terminal = '--import=data:text/javascript,process.stdout.isTTY=true'
    const cli = runCli(folder, ['check', '--url', url], { ...env, ...own, NODE_OPTIONS: terminal })
    expect(await cli.ended).toEqual([1, null])
    expect(cli.stdout()).toContain('[provider-missing]')
    expect(cli.stdout().includes('\u001B[31m')).toBe(hasColours)
  })
})
