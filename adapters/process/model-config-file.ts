import { readFile, stat } from 'node:fs/promises'
import type { ModelConfigSource } from '../../src/deps.ts'
import type { ModelConfig } from '../../src/llama-swap/model-config.ts'
import { readModelConfig } from '../../src/llama-swap/read-config.ts'

/**
 * What stands in llama-swap's configuration file, read again when the file has changed. A file that is not there or not
 * valid leaves what was last read; one that is not valid is told once per change through `warn`.
 */
export function createModelConfigFile(
  path: string,
  warn: (message: string) => void,
): ModelConfigSource {
  let config: ModelConfig | undefined
  let version = ''
  return {
    async read() {
      const found = await stat(path).catch(() => undefined)
      const seen = found ? `${found.mtimeMs} ${found.size} ${found.ino}` : ''
      if (seen === version) return config
      version = seen
      if (!found) return config
      try {
        config = readModelConfig(await readFile(path, 'utf8'))
      } catch (error) {
        const why = error instanceof Error ? error.message.split('\n')[0] : String(error)
        warn(`${path} cannot be read as llama-swap's configuration: ${why}`)
      }
      return config
    },
  }
}
