import { fileURLToPath } from 'node:url'
import type { Runtime } from '../process/start-gate.ts'

type Name = 'node' | 'bun' | 'deno'

function current(): Name {
  if (process.versions['bun'] !== undefined) return 'bun'
  return 'Deno' in globalThis ? 'deno' : 'node'
}

/** What a runtime needs before anything is started: Bun replaces the process. */
export async function prepareRuntime(): Promise<void> {
  if (current() !== 'bun') return
  const { liftRequestLimit } = await import('../bun/lift-request-limit.ts')
  liftRequestLimit()
}

/** How the gate is served here. Only this runtime's modules are loaded; the others' would fail. */
export async function loadRuntime(): Promise<Runtime> {
  switch (current()) {
    case 'bun':
      return (await import('../bun/runtime.ts')).runtime
    case 'deno':
      return (await import('../deno/runtime.ts')).runtime
    case 'node':
      return (await import('../node/runtime.ts')).runtime
  }
}

/** The command that runs the demo with the runtime that runs us. */
export function demoCommand(): { program: string; args: string[] } {
  const main = fileURLToPath(new URL('../demo/main.ts', import.meta.url))
  const permissions = ['run', '--no-prompt', '--allow-net', '--allow-env']
  return { program: process.execPath, args: current() === 'deno' ? [...permissions, main] : [main] }
}
