import { fileURLToPath } from 'node:url'
import type { Runtime } from '../process/start-gate.ts'

type Name = 'node' | 'bun' | 'deno'

function current(): Name {
  if (process.versions['bun'] !== undefined) return 'bun'
  return 'Deno' in globalThis ? 'deno' : 'node'
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
