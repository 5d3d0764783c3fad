import type { ConfigFile } from '../config/schema.ts'

type KeyEntry = Extract<NonNullable<ConfigFile['keys']>[number], object>

/** A key as `config.json` holds it: with the hash of its secret, never the secret. */
export function keyEntry(id: string, hash: string): KeyEntry {
  return { id, secret: `sha256:${hash}`, scopes: ['inference'] }
}

/** The key of another gate, which counts the limits of its clients itself. */
export function edgeKeyEntry(id: string, hash: string): KeyEntry {
  return { ...keyEntry(id, hash), edge: true, limits: { requestsPerMinute: null } }
}

/**
 * The text of a first `config.json`: everything at its default, and one key, which may also see what is loaded.
 *
 * @param hasSchema whether `config.schema.json` is beside it: an editor would complain of one that is not
 */
export function firstConfig(hash: string, hasSchema: boolean): string {
  const config: ConfigFile = {
    ...(hasSchema ? { $schema: './config.schema.json' } : {}),
    keys: [{ ...keyEntry('default', hash), scopes: ['inference', 'status'] }],
  }
  return `${JSON.stringify(config, null, 2)}\n`
}
