import { spawnSync, type SpawnSyncReturns } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'

const FOLDERS = ['src', 'adapters', 'test']
const SETTINGS = [
  'package.json',
  'tsconfig.json',
  'wrangler.toml',
  '.oxlintrc.json',
  '.oxfmtrc.json',
]
const FILES = ['runtime.ts', 'main.ts', 'harness.ts', 'tsconfig.json']
/** What the README says to pass at once, as far as it is quick. */
const SUITES = ['own-routes', 'models', 'limits', 'usage', 'cors']

const readme = readFileSync('README.md', 'utf8')
const section = readme.slice(readme.indexOf('### Add a runtime'), readme.indexOf('### Add a store'))
const written = [...section.matchAll(/```\w+\n\/\/ (adapters\/example\/\S+)\n(.*?)```/gs)].map(
  ([, path = '', text = '']) => ({ path, text }),
)

const report = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  testResults: z.array(z.object({ name: z.string() })),
})

describe('the section "Add a runtime" of the README', () => {
  let copy: string
  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'swapgate-add-runtime-'))
    for (const name of [...FOLDERS, ...SETTINGS])
      cpSync(name, join(copy, name), { recursive: true })
    // A folder of its own, for what the compiler writes; the packages in it are the real ones.
    mkdirSync(join(copy, 'node_modules'))
    for (const name of readdirSync('node_modules').filter((entry) => !entry.startsWith('.')))
      symlinkSync(join(process.cwd(), 'node_modules', name), join(copy, 'node_modules', name))
    for (const { path, text } of written) {
      mkdirSync(dirname(join(copy, path)), { recursive: true })
      writeFileSync(join(copy, path), text)
    }
  })
  afterAll(() => rmSync(copy, { recursive: true, force: true }))

  const run = (program: string, ...args: string[]): SpawnSyncReturns<string> =>
    spawnSync(process.execPath, [join('node_modules', program), ...args], {
      cwd: copy,
      encoding: 'utf8',
    })

  test('writes the files of one folder', () => {
    expect(written.map(({ path }) => path)).toEqual(FILES.map((name) => `adapters/example/${name}`))
  })

  test('gives a folder that compiles', () => {
    const { stdout, status } = run('typescript/bin/tsc', '-b', 'adapters/example')
    expect({ stdout, status }).toEqual({ stdout: '', status: 0 })
  })

  test('gives a folder that passes the linter and the formatter', () => {
    const linted = run('oxlint/bin/oxlint', 'adapters/example')
    const formatted = run('oxfmt/bin/oxfmt', '--check', 'adapters/example')
    expect([linted.status, formatted.status]).toEqual([0, 0])
  })

  test('gives a runtime that the conformance suite finds and that passes what it says', () => {
    const files = SUITES.map((name) => `test/conformance/${name}.test.ts`)
    const config = ['--config', 'test/vitest.config.ts', '--project', 'conformance']
    const reporter = ['--reporter', 'json', '--outputFile', 'report.json']
    const ran = run(
      'vitest/vitest.mjs',
      'run',
      ...config,
      ...reporter,
      '-t',
      'on example',
      ...files,
    )
    const { numPassedTests, numFailedTests, testResults } = report.parse(
      JSON.parse(readFileSync(join(copy, 'report.json'), 'utf8')),
    )
    expect({ status: ran.status, numFailedTests, files: testResults.length }).toEqual({
      status: 0,
      numFailedTests: 0,
      files: SUITES.length,
    })
    expect(numPassedTests).toBeGreaterThan(100)
  }, 60_000)
})
