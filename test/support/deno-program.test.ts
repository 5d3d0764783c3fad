import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { denoProgram } from './deno-program.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'swapgate-deno-'))
})
afterEach(() => rmSync(root, { recursive: true }))

/** Puts a program named `deno` into a folder. */
function put(folder: string, text: string): string {
  const path = join(root, folder)
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'deno'), text)
  return path
}

const LAUNCHER = '#!/usr/bin/env node\nrequire("node:child_process")'
const PROGRAM = '\u007fELF'

describe("Deno's own program", () => {
  test.each(['linux-x64-glibc', 'linux-arm64-glibc', 'darwin-arm64'])(
    'is that of the package for %s, not one on the PATH',
    (system) => {
      const packaged = put(`node_modules/@deno/${system}`, PROGRAM)
      expect(denoProgram(root, put('bin', PROGRAM))).toBe(join(packaged, 'deno'))
    },
  )

  test("is the first on the PATH that is not the package's launcher", () => {
    const path = [put('.bin', LAUNCHER), join(root, 'empty'), put('bin', PROGRAM)]
    expect(denoProgram(root, path.join(delimiter))).toBe(join(root, 'bin/deno'))
  })

  test('is missed aloud where there is only the launcher', () => {
    const path = put('.bin', LAUNCHER)
    expect(() => denoProgram(root, path)).toThrow('Deno is not here; npm ci brings it')
  })
})
