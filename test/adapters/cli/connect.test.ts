import { afterAll, expect, test } from 'vitest'
import { cleanUp, newFolder, runCli } from './run-cli.ts'

afterAll(cleanUp)

const NOBODY = 'http://127.0.0.1:65535'

type Ended = { code: number | null; stdout: string; stderr: string }

async function run(args: string[]): Promise<Ended> {
  const cli = runCli(newFolder(), ['connect', 'curl', ...args], { LLAMA_SWAP_API_KEY: 'sk-0' })
  const [code] = await cli.ended
  return { code, stdout: cli.stdout(), stderr: cli.stderr() }
}

test.each(['/', '/v1/models', '/v1/chat/completions', '/opencode.json?models=a'])(
  'settings without models begin where the gate does, not at %s',
  async (tail) => {
    const right = await run(['--url', NOBODY])
    expect(right).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('The settings below are without its models.'),
    })
    expect(await run(['--url', NOBODY + tail])).toEqual(right)
  },
)

test('there are no settings for the address of a page', async () => {
  expect(await run(['--url', `${NOBODY}/ui/models`])).toEqual({
    code: 2,
    stdout: '',
    stderr: `swapgate: ${NOBODY}/ui/models is a page for people; the gate begins before /ui: ${NOBODY}\n`,
  })
})
