import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { runtime } from '../../../adapters/bun/runtime.ts'
import { firstExisting } from '../../harness.ts'

const bun = firstExisting('node_modules/bun/bin/bun.exe', 'bun')

describe('upstream on Bun', () => {
  test('is called without the time limit of fetch', () => {
    const fetch = vi.fn<() => Promise<Response>>(() => new Promise(() => {}))
    vi.stubGlobal('fetch', fetch)
    const request = { method: 'GET', target: '/v1/models', headers: [], body: undefined }
    const call = runtime.createUpstream('http://box:8080').send(request, {
      head: () => {},
      chunk: () => {},
      end: () => {},
      failure: () => {},
    })
    call.abort()
    vi.unstubAllGlobals()

    expect(fetch).toHaveBeenCalledExactlyOnceWith(
      'http://box:8080/v1/models',
      expect.objectContaining({ timeout: false }),
    )
  })

  describe('where fetch gives up after seconds instead of 300', () => {
    let server: Server
    let url: string
    beforeEach(async () => {
      const held: ServerResponse[] = []
      server = createServer(({ url: path }, response) => {
        if (path === '/release') for (const one of [...held, response]) one.end('last')
        else held.push(response)
        if (path === '/body') response.write('first ')
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const address = server.address()
      if (address === null || typeof address === 'string') throw new Error('expected a TCP port')
      url = `http://127.0.0.1:${address.port}`
    })
    afterEach(() => {
      server.close()
      server.closeAllConnections()
    })

    test('waits for an answer, and in the middle of it, for as long as it takes', async () => {
      const child = spawn(bun, ['test/adapters/bun/programs/wait-longer.ts', url], {
        env: { ...process.env, BUN_CONFIG_HTTP_IDLE_TIMEOUT: '1' },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      expect(JSON.parse(await text(child.stdout))).toEqual({
        plain: ['TimeoutError: The operation timed out.', 'TimeoutError: The operation timed out.'],
        gate: ['last', 'first last'],
      })
    })
  })
})
