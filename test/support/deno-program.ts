import { closeSync, existsSync, globSync, openSync, readSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * Deno's own program: that of the npm package, whichever system it is for, or one on the PATH. The package's launcher, which
 * npm puts on the PATH, keeps signals to itself and is passed over, as `scripts/start.sh` does.
 */
export function denoProgram(root = '.', path = process.env['PATH'] ?? ''): string {
  const [packaged] = globSync(join(root, 'node_modules/@deno/*/deno'))
  const onPath = path.split(delimiter).map((folder) => join(folder, 'deno'))
  const program = packaged ?? onPath.find((file) => existsSync(file) && !isNodeScript(file))
  if (program === undefined) throw new Error('Deno is not here; npm ci brings it')
  return program
}

const FIRST_LINE = /^#!.*node/

function isNodeScript(program: string): boolean {
  const begin = Buffer.alloc(100)
  const file = openSync(program, 'r')
  readSync(file, begin)
  closeSync(file)
  return FIRST_LINE.test(begin.toString('latin1'))
}
