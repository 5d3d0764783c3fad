import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { harness as bun } from '../../adapters/bun/harness.ts'

/** Tests of one file and title, and the runtimes that have it. */
type Tests = { file: string; title: string; on: string[]; status?: string }

const ALL = ['bun', 'deno', 'node', 'workerd']
const WHOLE: Tests[] = [
  { file: 'cancel.test.ts', title: 'abort before headers', on: ALL },
  { file: 'cancel.test.ts', title: 'the only place of its key', on: ALL },
]

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'swapgate-matrix-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** What the matrix says of a report: its exit code, and the rows that it misses. */
function judge(tests: Tests[]): { status: number | null; missing: string[] } {
  const testResults = tests.map(({ file, title, on, status = 'passed' }) => ({
    name: `/anywhere/test/conformance/${file}`,
    assertionResults: on.map((name) => ({ ancestorTitles: [`on ${name}`], title, status })),
  }))
  const file = join(folder, 'report.json')
  writeFileSync(file, JSON.stringify({ testResults }))
  const { status, stdout } = spawnSync(process.execPath, ['scripts/runtime-matrix.ts', file], {
    encoding: 'utf8',
  })
  return { status, missing: stdout.split('\n').filter((line) => line.includes('[not on')) }
}

describe('the matrix of tests and runtimes', () => {
  test('passes where all runtimes have all rows', () => {
    expect(judge(WHOLE)).toEqual({ status: 0, missing: [] })
  })

  test('fails where a row is on some runtimes only, and names it', () => {
    const lost = { file: 'cancel.test.ts', title: 'is seen at once', on: ['node'] }
    expect(judge([...WHOLE, lost])).toEqual({
      status: 1,
      missing: ['- cancel.test.ts › is seen at once [not on bun, deno, workerd]'],
    })
  })

  test('fails where of several rows with one title a runtime has fewer', () => {
    const twice = [ALL, ['bun', 'deno', 'node']].map((on) => ({
      file: 'routes.test.ts',
      title: 'is not found',
      on,
    }))
    expect(judge([...WHOLE, ...twice])).toEqual({
      status: 1,
      missing: ['- routes.test.ts › is not found [not on workerd]'],
    })
  })

  test('takes for an excuse what a harness says that it cannot do, and the proof of it in its place', () => {
    const reason = bun.cannot['head-before-body']
    const file = 'streams.test.ts'
    const able = ['deno', 'node', 'workerd']
    const rows = [
      { file, title: 'comes before the first frame', on: able },
      { file, title: `comes still not before the first frame: ${reason}`, on: ['bun'] },
    ]
    expect(judge([...WHOLE, ...rows])).toEqual({ status: 0, missing: [] })
  })

  test('takes nobody else for excused', () => {
    const row = { file: 'queue.test.ts', title: 'refuses when it is full', on: ['bun', 'node'] }
    expect(judge([...WHOLE, row])).toEqual({
      status: 1,
      missing: ['- queue.test.ts › refuses when it is full [not on deno]'],
    })
  })

  test('fails where a runtime has no tests at all', () => {
    const others = WHOLE.map((row) => ({ ...row, on: ['deno', 'node', 'workerd'] }))
    expect(judge(others)).toEqual({
      status: 1,
      missing: [
        '- cancel.test.ts › abort before headers [not on bun]',
        '- cancel.test.ts › the only place of its key [not on bun]',
      ],
    })
  })

  test.each(['failed', 'skipped'])('fails where a test is %s', (status) => {
    const row = { file: 'cancel.test.ts', title: 'comes back', on: ALL, status }
    expect(judge([...WHOLE, row])).toEqual({ status: 1, missing: [] })
  })

  test('fails where nothing has run', () => {
    expect(judge([])).toEqual({ status: 1, missing: [] })
  })
})
