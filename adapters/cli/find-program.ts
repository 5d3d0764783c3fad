import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where a program is that was given as a shell would take it: a path, or a name that is looked for on PATH. */
export function findProgram(name: string, env: NodeJS.ProcessEnv): string | undefined {
  if (name.includes('/')) return isProgram(name) ? name : undefined
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, name)).find(isProgram)
}

/** What is wrong with a name that `findProgram` finds nothing for, and the fix: the end of a sentence. */
export function whyNoProgram(name: string): string {
  if (!name.includes('/'))
    return `PATH has no such program. A program that is not on PATH is named with its folder, such as ./${name}`
  if (!existsSync(name)) return 'there is no such program.'
  if (statSync(name).isFile())
    return `that may not be executed. If it is llama-swap: chmod +x ${name}`
  return `that is a folder. Name the program in it, such as ${join(name, 'llama-swap')}`
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
