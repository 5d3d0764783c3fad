/**
 * Writes one record for a key into a database, prints whose records it finds there, and ends by itself, although a timer
 * still waits. Arguments: the file, the key's id.
 */
import { backgroundClock } from '../../../../adapters/sqlite/background-clock.ts'
import { createSqliteLimitArchive } from '../../../../adapters/sqlite/limit-archive.ts'
import { openDatabase } from '../../../../adapters/sqlite/open-database.ts'
import { createSqliteUsageStore } from '../../../../adapters/sqlite/usage-store.ts'
import { usageRecord } from '../../../contracts/usage-record.ts'

const [file = '', keyId = ''] = process.argv.slice(2)
const opened = await openDatabase(file)
if (!opened.ok) throw new Error(opened.message)
const { database } = opened
const warn = (message: string): void => console.error(message)
const store = createSqliteUsageStore({ database, clock: backgroundClock, keepDays: 36_500, warn })
store.append(usageRecord({ keyId }))
const totals = await store.totals({ since: 0, by: 'key', keyId: undefined })
const archive = createSqliteLimitArchive(database, backgroundClock)
archive.save([{ keyId, text: `of ${keyId}` }])
console.log(JSON.stringify({ totals, limits: archive.load() }))
backgroundClock.setTimer(3_600_000, () => console.log('never'))
