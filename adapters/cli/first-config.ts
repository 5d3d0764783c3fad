import { accessSync, constants, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
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
  return { ok: true, first: { path, secret, text: firstConfig(await sha256(secret)) } }
}

/** Writes the file in one step, for this user only: a start that is cut off leaves a whole file or none. */
export function writeFirstConfig({ path, text }: FirstConfig): Failure | undefined {
  const unfinished = `${path}.${process.pid}.tmp`
  try {
    writeFileSync(unfinished, text, { mode: 0o600, flag: 'wx' })
    renameSync(unfinished, path)
    return undefined
  } catch (error) {
    rmSync(unfinished, { force: true })
    return failed(
      `${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}
