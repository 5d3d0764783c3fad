import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { cleanUp, newFolder, run, runCli } from './run-cli.ts'

const SLOW = { timeout: 60_000 }

afterAll(cleanUp)

test('help goes to standard output and lists the exit codes', SLOW, async () => {
  const cli = runCli(newFolder(), ['--help'])

  expect(await cli.ended).toEqual([0, null])
  expect(cli.stdout()).toContain('2  wrong usage or configuration')
  expect(cli.stderr()).toBe('')
})

test('wrong usage ends with 2', SLOW, async () => {
  const cli = runCli(newFolder(), ['start', '--dmeo'])

  expect(await cli.ended).toEqual([2, null])
  expect(cli.stdout()).toBe('')
  expect(cli.stderr()).toBe(
    'swapgate: unknown option "--dmeo". Did you mean "--demo"?\nswapgate start --help\n',
  )
})

test('an unknown command shows all of them', SLOW, async () => {
  const cli = runCli(newFolder(), ['strat'])

  expect(await cli.ended).toEqual([2, null])
  expect(cli.stderr()).toContain(
    'unknown command "strat". Did you mean "start"?\n\nswapgate: the gate',
  )
})

test('a reader that has enough ends it quietly', SLOW, async () => {
  const command = `("$0" "$1" --help; echo "ended with $?" >&2) | (exec <&-; sleep 1)`
  const main = fileURLToPath(new URL('../../../adapters/cli/main.ts', import.meta.url))
  const cli = run(newFolder(), ['/bin/sh', '-c', command, process.execPath, main], {
    PATH: '/usr/bin:/bin',
  })

  expect(await cli.ended).toEqual([0, null])
  expect(cli.stderr()).toBe('ended with 0\n')
})

test('a configuration that is not valid ends with 2', SLOW, async () => {
  const cli = runCli(newFolder(), ['start'], { HOST: '0.0.0.0', UPSTREAM_URL: 'localhost:8080' })

  expect(await cli.ended).toEqual([2, null])
  expect(cli.stderr()).toContain('UPSTREAM_URL: must be an http:// or https:// URL')
})

test('the version is the package’s', SLOW, async () => {
  const cli = runCli(newFolder(), ['--version'])

  expect(await cli.ended).toEqual([0, null])
  expect(cli.stdout()).toMatch(/^swapgate \d+\.\d+\.\d+\n$/)
})

test('a new key comes with the entry for its hash', SLOW, async () => {
  const cli = runCli(newFolder(), ['keys', 'new', '--id', 'laptop'])

  expect(await cli.ended).toEqual([0, null])
  const [secret] = cli.stdout().split('\n')
  expect(secret).toMatch(/^sk-[\w-]{43}$/)
  const hash = createHash('sha256').update(secret!).digest('hex')
  expect(JSON.parse(cli.stdout().slice(cli.stdout().indexOf('{')))).toEqual({
    id: 'laptop',
    secret: `sha256:${hash}`,
    scopes: ['inference'],
  })
})
