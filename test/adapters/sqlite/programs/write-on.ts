/** Writes batches of a hundred records until it is killed, and prints a line after each. Argument: the file. */
import { backgroundClock } from '../../../../adapters/sqlite/background-clock.ts'
import { openDatabase } from '../../../../adapters/sqlite/open-database.ts'
import { createSqliteUsageStore } from '../../../../adapters/sqlite/usage-store.ts'
import { usageRecord } from '../../../contracts/usage-record.ts'

const opened = await openDatabase(process.argv[2] ?? '')
if (!opened.ok) throw new Error(opened.message)
const { database } = opened
const warn = (message: string): void => console.error(message)
const store = createSqliteUsageStore({ database, clock: backgroundClock, keepDays: 36_500, warn })
for (;;) {
  for (let i = 0; i < 100; i++) store.append(usageRecord())
  await store.flush()
  process.stdout.write('batch\n')
  await new Promise((resolve) => setImmediate(resolve))
}
