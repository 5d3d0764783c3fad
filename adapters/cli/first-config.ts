import { accessSync, constants, existsSync, linkSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { firstConfig } from '../../src/cli/key-entry.ts'
import { newSecret } from '../../src/cli/new-secret.ts'
import { configPath } from '../process/load-config.ts'
import { sha256 } from '../process/sha256.ts'
import { failed, misused, type Failure, type Outcome } from './outcome.ts'

/** A configuration file that is to be written once everything runs: a key is shown only then, and only once. */
export type FirstConfig = { path: string; secret: string; text: string }

/** A first configuration with a fresh key, when there is no file yet and no key in the environment. */
export async function planFirstConfig(
  env: NodeJS.ProcessEnv,
): Promise<Outcome<{ first: FirstConfig | undefined }>> {
  const path = configPath(env)
  if (existsSync(path) || env['API_KEYS']) return { ok: true, first: undefined }
  try {
    accessSync(dirname(path), constants.W_OK)
  } catch {
    return misused(
      `${path} does not exist and cannot be made: the folder is missing or not writable. Set CONFIG to another path, or API_KEYS to a key.`,
    )
  }
  const secret = newSecret()
  const hasSchema = existsSync(join(dirname(path), 'config.schema.json'))
  return { ok: true, first: { path, secret, text: firstConfig(await sha256(secret), hasSchema) } }
}

/**
 * Writes the file in one step, for this user only: a start that is cut off leaves a whole file or none. What somebody
 * else has put there meanwhile stays.
 */
export function writeFirstConfig({ path, text }: FirstConfig): Failure | undefined {
  const unfinished = `${path}.${process.pid}.tmp`
  try {
    writeFileSync(unfinished, text, { mode: 0o600, flag: 'wx' })
    putInPlace(unfinished, { path, text })
    return undefined
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && existsSync(path))
      return failed(
        `${path} was made by somebody else while this started; it is left as it is. Start again to use it.`,
      )
    return failed(
      `${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
    )
  } finally {
    rmSync(unfinished, { force: true })
  }
}

/** A link, unlike a rename, never takes the place of what is there. */
function putInPlace(unfinished: string, { path, text }: { path: string; text: string }): void {
  try {
    linkSync(unfinished, path)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw error
    // File systems such as exFAT have no links; there, a file that is cut off is the smaller harm.
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' })
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
