import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { chooseUpstream } from '../../../adapters/cli/choose-upstream.ts'
import { configSchema, type GateConfig } from '../../../src/config/schema.ts'

let folder: string
let env: NodeJS.ProcessEnv

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'swapgate-cli-'))
  mkdirSync(join(folder, 'bin'))
  env = { CONFIG: join(folder, 'config.json'), PATH: `/nowhere:${join(folder, 'bin')}` }
  onTestFinished(() => rmSync(folder, { recursive: true }))
})

function addProgram(name: string): string {
  const path = join(folder, 'bin', name)
  writeFileSync(path, '#!/bin/sh\n')
  chmodSync(path, 0o755)
  return path
}

/** The program that is started when `LLAMA_SWAP_BIN` has a value. */
function programFor(bin: string): unknown {
  const named = { ...env, LLAMA_SWAP_BIN: bin }
  const chosen = chooseUpstream(configOf(), { demo: false, env: named })
  return chosen.ok && chosen.plan.kind === 'llama-swap' && chosen.plan.program
}

const configOf = (upstream: { url?: string; configFile?: string } = {}): GateConfig => ({
  ...configSchema.parse({ upstream }),
  keys: [],
})

describe('what stands behind the gate', () => {
  test('is llama-swap from PATH, on port 8080 of this machine', () => {
    const program = addProgram('llama-swap')
    const yaml = join(folder, 'config.yaml')
    writeFileSync(yaml, '')

    const chosen = chooseUpstream(configOf({ configFile: yaml }), { demo: false, env })

    expect(chosen).toEqual({
      ok: true,
      plan: {
        kind: 'llama-swap',
        program,
        configFile: yaml,
        listen: { host: '127.0.0.1', port: 8080 },
      },
    })
  })

  test('is the program that LLAMA_SWAP_BIN names, a path or a name', () => {
    addProgram('llama-swap')
    const other = addProgram('llama-swap-next')
    writeFileSync(join(folder, 'config.yaml'), '')
    expect([programFor(other), programFor('llama-swap-next')]).toEqual([other, other])
  })

  test.each([
    ['http://[::1]:9000', { host: '::1', port: 9000 }],
    ['http://localhost', { host: 'localhost', port: 80 }],
  ])('listens where %s says', (url, listen) => {
    addProgram('llama-swap')
    writeFileSync(join(folder, 'config.yaml'), '')

    expect(chooseUpstream(configOf({ url }), { demo: false, env })).toMatchObject({
      plan: { kind: 'llama-swap', listen },
    })
  })

  test.each(['https://127.0.0.1:8080', 'http://gpu-box:8080', 'http://127.0.0.1:8080/llama'])(
    'runs already when its address is %s',
    (url) => {
      addProgram('llama-swap')

      expect(chooseUpstream(configOf({ url }), { demo: false, env })).toEqual({
        ok: true,
        plan: { kind: 'given' },
      })
    },
  )

  test('is the demo when that is asked for, whatever else there is', () => {
    addProgram('llama-swap')
    const others = { ...env, UPSTREAM_URL: 'http://gpu-box:8080' }

    expect(chooseUpstream(configOf(), { demo: true, env: others })).toEqual({
      ok: true,
      plan: { kind: 'demo', notice: undefined },
    })
  })

  test('is the demo, with a notice, when PATH has no llama-swap that can be run', () => {
    writeFileSync(join(folder, 'bin', 'llama-swap'), 'not executable')

    expect(chooseUpstream(configOf(), { demo: false, env })).toEqual({
      ok: true,
      plan: { kind: 'demo', notice: expect.stringContaining('llama-swap was not found') },
    })
  })

  test('is nothing when llama-swap was set up here and is missing: the demo would hide that', () => {
    writeFileSync(join(folder, 'config.yaml'), '')

    const chosen = chooseUpstream(configOf(), { demo: false, env })

    expect(chosen).toMatchObject({ ok: false, exitCode: 2 })
    const message = chosen.ok ? '' : chosen.message
    for (const part of ['config.yaml', 'LLAMA_SWAP_BIN', 'PATH', 'UPSTREAM_URL', '--demo'])
      expect(message).toContain(part)
  })

  test('is the demo when that is asked for, with a file for llama-swap, too', () => {
    writeFileSync(join(folder, 'config.yaml'), '')

    expect(chooseUpstream(configOf(), { demo: true, env })).toMatchObject({
      plan: { kind: 'demo', notice: undefined },
    })
  })
})

const complaintAbout = (bin: string): unknown =>
  chooseUpstream(configOf(), { demo: false, env: { ...env, LLAMA_SWAP_BIN: bin } })

describe('LLAMA_SWAP_BIN that cannot be started is told with the fix', () => {
  test('a path where nothing is', () => {
    expect(complaintAbout('/nowhere/llama-swap')).toEqual({
      ok: false,
      exitCode: 2,
      message: 'LLAMA_SWAP_BIN names /nowhere/llama-swap, but there is no such program.',
    })
  })

  test('a name that is not on PATH', () => {
    expect(complaintAbout('llama-swop')).toMatchObject({
      message:
        'LLAMA_SWAP_BIN names llama-swop, but PATH has no such program. A program that is not on PATH is named with its folder, such as ./llama-swop',
    })
  })

  test('a folder', () => {
    expect(complaintAbout(join(folder, 'bin'))).toMatchObject({
      message: `LLAMA_SWAP_BIN names ${folder}/bin, but that is a folder. Name the program in it, such as ${folder}/bin/llama-swap`,
    })
  })

  test('a file that may not be executed', () => {
    const path = join(folder, 'bin', 'llama-swap')
    writeFileSync(path, '#!/bin/sh\n')

    expect(complaintAbout(path)).toMatchObject({
      message: `LLAMA_SWAP_BIN names ${path}, but that may not be executed. If it is llama-swap: chmod +x ${path}`,
    })
  })
})
