import { describe, expect, test } from 'vitest'
import { listenError } from '../../../adapters/cli/port.ts'
import { explainListenError } from '../../../adapters/process/start-gate.ts'
import { takePort } from '../cli/run-cli.ts'

/** What is said when nobody can listen there. */
async function said(host: string, port = 0): Promise<string> {
  return explainListenError(await listenError({ host, port }), { host, port })
}

describe('an address that cannot be had is told with the way out', () => {
  test('one that is taken', async () => {
    const port = await takePort()
    expect(await said('127.0.0.1', port)).toBe(
      `Port ${port} on 127.0.0.1 is already in use. Stop what listens there, or choose another port with PORT=… or "listen.port".`,
    )
  })

  test('one in brackets', async () => {
    expect(await said('[::1]')).toBe(
      '[::1] is how URLs write an address; here it stands without brackets: HOST=::1',
    )
  })

  // 192.0.2.0/24 is for documentation (RFC 5737), and no name ends in .invalid (RFC 6761).
  test.each(['192.0.2.1', 'gpu-box.invalid'])('one of another machine: %s', async (host) => {
    expect(await said(host)).toBe(
      `${host} is no address of this machine. Listen on one that it has: HOST=127.0.0.1 for this machine only, HOST=0.0.0.0 for all that can reach it.`,
    )
  })
})
