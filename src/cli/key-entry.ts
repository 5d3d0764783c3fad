import type { ConfigFile } from '../config/schema.ts'

type KeyEntry = Extract<NonNullable<ConfigFile['keys']>[number], object>

/** A key as `config.json` holds it: with the hash of its secret, never the secret. */
export function keyEntry(id: string, hash: string): KeyEntry {
  return { id, secret: `sha256:${hash}`, scopes: ['inference'] }
}

/** The text of a first `config.json`: everything at its default, and one key, which may also see what is loaded. */
export function firstConfig(hash: string): string {
  const config: ConfigFile = {
    $schema: './config.schema.json',
    keys: [{ ...keyEntry('default', hash), scopes: ['inference', 'status'] }],
  }
  return `${JSON.stringify(config, null, 2)}\n`
}
