import { createHash } from 'node:crypto'
import {
  parseConfig,
  type ConfigInput,
  type ConfigResult,
} from '../../../src/config/parse-config.ts'

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** The stored form of a secret. */
export function hashOf(secret: string): string {
  return `sha256:${sha256(secret)}`
}

/** Parses a configuration that is written as an object, as text, or not at all. */
export function parse(
  file: object | string | undefined,
  rest: Partial<ConfigInput> = {},
): Promise<ConfigResult> {
  const text = typeof file === 'object' ? JSON.stringify(file) : file
  return parseConfig(
    {
      file: text === undefined ? undefined : { name: './config.json', text },
      env: {},
      readFile: undefined,
      ...rest,
    },
    sha256,
  )
}

/** The faults of a configuration, one line each; none for a valid one. */
export async function faultsOf(
  file: object | string | undefined,
  rest?: Partial<ConfigInput>,
): Promise<string[]> {
  const result = await parse(file, rest)
  return result.ok
    ? []
    : result.message
        .split('\n')
        .slice(1)
        .map((line) => line.trim())
}
