import { edgeKeyEntry, keyEntry } from '../../src/cli/key-entry.ts'
import { newSecret } from '../../src/cli/new-secret.ts'
import { sha256 } from '../process/sha256.ts'

/** How much of the hash names a key that was given no name: ids in one file must differ. */
const ID_DIGITS = 6

/** `edge`: the key is for another gate, not for a client. */
export type NewKey = { id: string | undefined; edge: boolean }

/** What `swapgate keys new` prints: the key itself, for the client, and its entry, for the gate. */
export async function newKeyText({ id, edge }: NewKey): Promise<string> {
  const secret = newSecret()
  const hash = await sha256(secret)
  const entryOf = edge ? edgeKeyEntry : keyEntry
  const entry = entryOf(id ?? `key-${hash.slice(0, ID_DIGITS)}`, hash)
  return [
    secret,
    '',
    'The key above is shown only this once. Paste this entry into "keys" of config.json and restart the gate:',
    '',
    JSON.stringify(entry, null, 2),
    '',
  ].join('\n')
}
