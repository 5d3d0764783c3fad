import { householdTable } from '../test/src/queue/household-table.ts'

// usage: node bench/simulate-queue.ts [seeds, default 5] [hours, default 6]
// What the order of service does to a small household on one GPU: a simulation in virtual time, not a measurement.

const [seeds = 5, hours = 6] = process.argv.slice(2).map(Number)
console.log(householdTable({ seeds, hours }).join('\n'))
