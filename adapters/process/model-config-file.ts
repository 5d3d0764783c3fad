import { readFile, stat } from 'node:fs/promises'
import type { ModelConfigSource } from '../../src/deps.ts'
import type { ModelNames } from '../../src/llama-swap/model-names.ts'
import { namesInConfig } from '../../src/llama-swap/read-config.ts'

/**
 * The names in llama-swap's configuration file, read again when the file has changed. A file that is not there or not
 * valid leaves the last good names; one that is not valid is told once per change through `warn`.
 */
export function createModelConfigFile(
  path: string,
  warn: (message: string) => void,
): ModelConfigSource {
  let names: ModelNames | undefined
  let version = ''
  return {
    async read() {
      const found = await stat(path).catch(() => undefined)
      const seen = found ? `${found.mtimeMs} ${found.size} ${found.ino}` : ''
      if (seen === version) return names
      version = seen
      if (!found) return names
      try {
        names = namesInConfig(await readFile(path, 'utf8'))
      } catch (error) {
        const why = error instanceof Error ? error.message.split('\n')[0] : String(error)
        warn(`${path} cannot be read as llama-swap's configuration: ${why}`)
      }
      return names
    },
  }
}
