/**
 * Holds a file until it is killed, or tells why it cannot and ends. Prints `trying`, then `held` or the message. Arguments:
 * the file, how many ms to wait for it.
 */
import { holdFile } from '../../../../adapters/sqlite/hold-file.ts'
import { loadSqlite } from '../../../../adapters/sqlite/load-sqlite.ts'

const [file = '', waitMs = ''] = process.argv.slice(2)
// Loaded before the word is given: what follows it is the try itself.
await loadSqlite()
console.log('trying')
const held = await holdFile(file, Number(waitMs))
console.log(held.ok ? 'held' : held.message)
if (held.ok) {
  process.once('SIGTERM', held.release)
  setInterval(() => {}, 3_600_000)
}
