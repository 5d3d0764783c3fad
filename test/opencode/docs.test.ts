import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { cleanUp, newFolder, run as start } from '../adapters/cli/run-cli.ts'
import { chatLines, inShort } from './gate-log.ts'
import { createSandbox, KEY_VARIABLE, run, type Sandbox } from './opencode.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const page = readFileSync(join(root, 'docs/opencode.md'), 'utf8')

/** The blocks of one language below a heading, in order. */
function blocksBelow(heading: string, language: string): string[] {
  const [, below = ''] = page.split(`\n${heading}\n`)
  const [section = ''] = below.split(/^##+ /m)
  return [...section.matchAll(/^```(\w+)\n(.*?)^```/gms)]
    .filter(([, name]) => name === language)
    .map(([, , block = '']) => block)
}

/** The gate of the demo, and the one key that it made for itself. */
const demo = { url: '', key: '', log: () => '' }

beforeAll(async () => {
  const gate = start(newFolder(), [join(root, 'scripts/start.sh'), '--no-install', '--demo'], {
    PATH: process.env['PATH'],
    CONFIG: 'config.json',
    DEMO_LOAD_MS: '0',
  })
  demo.log = () => gate.stdout()
  demo.url = await gate.listening()
  demo.key = (await gate.written(/sk-[\w-]{43}/))[0]
})

afterAll(() => {
  console.log(`gate:\n${chatLines(demo.log()).map(inShort).join('\n')}`)
  cleanUp()
})

/** A new user with an empty folder. */
function newUser(): Sandbox {
  const user = createSandbox()
  onTestFinished(user.remove)
  return user
}

/** Commands of this repository run in its folder, with the Node of this test. */
const IN_REPOSITORY = `cd '${root}' && PATH='${dirname(process.execPath)}:${process.env['PATH']}'`

/** What the page says, for this machine: other ports, a real key, and OpenCode from where it is already. */
function here(text: string): string {
  return text
    .replaceAll('http://localhost:3000', demo.url)
    .replace('sk-...', demo.key)
    .replace('npm i -g opencode-ai\n', '')
    .replaceAll(/^npm run .*$/gm, (command) => `(${IN_REPOSITORY} ${command})`)
}

/** What commands of the page write in the project of a user who has the key; it fails where one of them does. */
async function shell(user: Sandbox, script: string): Promise<string> {
  const environment = { ...user.environment, [KEY_VARIABLE]: demo.key }
  const told = await run(['bash', '-euc', here(script)], { folder: user.folder, environment })
  console.log(`${script.trimEnd()}\n-->\n${told.stdout}`)
  if (told.exitCode !== 0) throw new Error(`exit code ${told.exitCode}; it said:\n${told.stderr}`)
  return told.stdout
}

/** The only block of a language below a heading. */
function blockBelow(heading: string, language: string): string {
  return blocksBelow(heading, language).join('\n')
}

/** What the demo says to everything; a wrong key or model would have been answered with an error. */
const DEMO_ANSWER =
  /^This is the demo upstream of swapgate, answering in the place of Qwen3 Coder Next/m

const MODELS_AND_ANSWER = 'opencode models llama-swap\nopencode run "say hello"'
const MODELS = `llama-swap/glm-4.7-flash
llama-swap/gpt-oss-120b
llama-swap/qwen3-coder-next
`

/** What came before some text, and after it. */
function around(text: string, told: string): { before: string; after: string } {
  const [before = '', after = ''] = told.split(text)
  return { before, after }
}

/** The files that "check" has read, which it names from the folder of the repository where that is shorter. */
function withWholePaths(told: string): string {
  return told.replace(/(?<=^OpenCode puts together: ).*$/m, (names) =>
    names
      .split(', ')
      .map((name) => resolve(root, name))
      .join(', '),
  )
}

const FIRST = '## 1. From an empty folder to an answer'

// No second try: the demo has learned the context of a model by then, and the table says so.
test(
  'the first section, command by command: from an empty folder to a check and an answer',
  { retry: 0 },
  async () => {
    // The key is in the environment only because the page puts it there.
    const script = `unset ${KEY_VARIABLE}\n${blocksBelow(FIRST, 'sh').join('')}`
    const user = newUser()
    const told = withWholePaths(await shell(user, script))
    // OpenCode has made one for all projects when it started.
    const files = [
      join(user.environment['XDG_CONFIG_HOME'] ?? '', 'opencode/opencode.jsonc'),
      join(user.folder, 'opencode.json'),
    ]
    expect(around(blockBelow(FIRST, 'text'), told)).toEqual({
      before: `${MODELS}OpenCode puts together: ${files.join(', ')}\n\n`,
      after: expect.stringMatching(DEMO_ANSWER),
    })
  },
)

test('without a file: the configuration comes in a variable', async () => {
  const user = newUser()
  const command = blockBelow('### Without a file', 'sh').trimEnd()
  expect(await shell(user, `${command} run "say hello"`)).toMatch(DEMO_ANSWER)
  expect(existsSync(join(user.folder, 'opencode.json'))).toBe(false)
})

test('by hand: the file as the page shows it', async () => {
  const user = newUser()
  user.write('opencode.json', here(blockBelow('### By hand', 'json')))
  expect(around(MODELS, await shell(user, MODELS_AND_ANSWER))).toEqual({
    before: '',
    after: expect.stringMatching(DEMO_ANSWER),
  })
})

test("from config.yaml: the same file as by hand, from the example of llama-swap's configuration", async () => {
  const user = newUser()
  const box = join(user.home, 'box')
  mkdirSync(box)
  copyFileSync(join(root, 'config.yaml.example'), join(box, 'config.yaml'))
  writeFileSync(join(box, 'config.json'), JSON.stringify({ publicUrl: demo.url, keys: [demo.key] }))
  const command = blockBelow('### From config.yaml', 'sh')
  await shell(user, `export CONFIG=${join(box, 'config.json')}\n${command}`)
  const written: unknown = JSON.parse(readFileSync(join(user.folder, 'opencode.json'), 'utf8'))
  expect(written).toEqual(JSON.parse(here(blockBelow('### By hand', 'json'))))
  expect(around(MODELS, await shell(user, MODELS_AND_ANSWER))).toEqual({
    before: '',
    after: expect.stringMatching(DEMO_ANSWER),
  })
})
