import { describe, expect, test } from 'vitest'
import {
  BATCH,
  createWriteBehind,
  MAX_WAITING,
  RETRY_MS,
  WRITE_WITHIN_MS,
  type WriteBehind,
} from '../../../adapters/sqlite/write-behind.ts'
import { fakeClock, type FakeClock } from '../../support/fake-clock.ts'

type Bench = {
  buffer: WriteBehind<number>
  clock: FakeClock
  /** What was written, one entry per transaction. */
  written: number[][]
  warnings: string[]
  /** What writing fails with from now on. */
  fault: string | undefined
  tries: number
}

function startBench(): Bench {
  const clock = fakeClock()
  const bench: Bench = {
    buffer: createWriteBehind<number>({
      clock,
      write(items) {
        bench.tries += 1
        if (bench.fault !== undefined) throw new Error(bench.fault)
        bench.written.push([...items])
      },
      warn: (message) => void bench.warnings.push(message),
    }),
    clock,
    written: [],
    warnings: [],
    fault: undefined,
    tries: 0,
  }
  return bench
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

describe('items', () => {
  test('are written together half a second after the first came', async () => {
    const bench = startBench()
    bench.buffer.push(1)
    await bench.clock.advance(WRITE_WITHIN_MS - 1)
    bench.buffer.push(2)
    expect(bench.written).toEqual([])
    await bench.clock.advance(1)
    expect([bench.written, bench.clock.pending()]).toEqual([[[1, 2]], 0])
  })

  test('are written at once when there are many, but not within the push', async () => {
    const bench = startBench()
    numbers(BATCH).forEach((item) => bench.buffer.push(item))
    expect(bench.written).toEqual([])
    bench.buffer.push(BATCH)
    await bench.clock.advance(0)
    expect([bench.written, bench.clock.pending()]).toEqual([[numbers(BATCH + 1)], 0])
  })

  test('are written by a flush, once', async () => {
    const bench = startBench()
    bench.buffer.push(1)
    bench.buffer.flush()
    bench.buffer.flush()
    await bench.clock.advance(WRITE_WITHIN_MS)
    expect([bench.written, bench.tries, bench.clock.pending()]).toEqual([[[1]], 1, 0])
  })

  test('that come after a flush get a time of their own', async () => {
    const bench = startBench()
    bench.buffer.push(1)
    bench.buffer.flush()
    bench.buffer.push(2)
    await bench.clock.advance(WRITE_WITHIN_MS)
    expect(bench.written).toEqual([[1], [2]])
  })
})

describe('when writing fails', () => {
  test('items wait in order and are written when it works again', async () => {
    const bench = startBench()
    bench.fault = 'disk is full'
    bench.buffer.push(1)
    bench.buffer.flush()
    bench.buffer.push(2)
    bench.fault = undefined
    await bench.clock.advance(RETRY_MS - 1)
    expect(bench.written).toEqual([])
    await bench.clock.advance(1)
    bench.buffer.push(3)
    await bench.clock.advance(WRITE_WITHIN_MS)
    expect([bench.written, bench.warnings]).toEqual([
      [[1, 2], [3]],
      ['usage cannot be written: disk is full; 1 records wait', 'usage is written again'],
    ])
  })

  test('it is tried every ten seconds, however much comes', async () => {
    const bench = startBench()
    bench.fault = 'disk is full'
    bench.buffer.push(0)
    bench.buffer.flush()
    numbers(3 * BATCH).forEach((item) => bench.buffer.push(item))
    await bench.clock.advance(3 * RETRY_MS)
    expect([bench.tries, bench.clock.pending()]).toEqual([4, 1])
  })

  test('it is told once an hour, with the cause of then', async () => {
    const bench = startBench()
    bench.fault = 'disk is full'
    bench.buffer.push(1)
    await bench.clock.advance(WRITE_WITHIN_MS + 3_600_000 - RETRY_MS)
    bench.fault = 'file is read-only'
    expect(bench.warnings).toHaveLength(1)
    await bench.clock.advance(RETRY_MS)
    expect(bench.warnings).toEqual([
      'usage cannot be written: disk is full; 1 records wait',
      'usage cannot be written: file is read-only; 1 records wait',
    ])
  })

  test('a disk that fails now and then is told once an hour, too', () => {
    const bench = startBench()
    for (const fault of ['a', undefined, 'b', undefined]) {
      bench.fault = fault
      bench.buffer.push(1)
      bench.buffer.flush()
    }
    expect(bench.warnings).toEqual([
      'usage cannot be written: a; 1 records wait',
      'usage is written again',
    ])
  })

  test('what waits can be seen, and nothing waits that is written', () => {
    const bench = startBench()
    bench.fault = 'disk is full'
    bench.buffer.push(1)
    bench.buffer.push(2)
    bench.buffer.flush()
    const whileFailing = [...bench.buffer.waiting()]
    bench.fault = undefined
    bench.buffer.flush()
    expect([whileFailing, bench.buffer.waiting()]).toEqual([[1, 2], []])
  })

  test('the oldest items are lost when too many wait, and how many is told', async () => {
    const bench = startBench()
    bench.fault = 'disk is full'
    numbers(MAX_WAITING + 3).forEach((item) => bench.buffer.push(item))
    bench.buffer.flush()
    bench.fault = undefined
    await bench.clock.advance(RETRY_MS)
    bench.buffer.push(1)
    bench.buffer.flush()
    expect([bench.written, bench.warnings]).toEqual([
      [numbers(MAX_WAITING + 3).slice(3), [1]],
      [
        `usage cannot be written: disk is full; ${MAX_WAITING} records wait, 3 older ones are lost`,
        'usage is written again; 3 records were lost',
      ],
    ])
  })
})

describe('at the end', () => {
  test('what waits is written once more, without a word', async () => {
    const bench = startBench()
    bench.buffer.push(1)
    bench.buffer.close()
    bench.buffer.close()
    await bench.clock.advance(RETRY_MS)
    expect([bench.written, bench.warnings, bench.clock.pending()]).toEqual([[[1]], [], 0])
  })

  test('what was told as waiting is told as written', () => {
    const bench = startBench()
    bench.fault = 'disk is full'
    bench.buffer.push(1)
    bench.buffer.flush()
    bench.fault = undefined
    bench.buffer.close()
    expect([bench.written, bench.warnings]).toEqual([
      [[1]],
      ['usage cannot be written: disk is full; 1 records wait', 'usage is written again'],
    ])
  })

  test('what cannot be written is told as lost, however short ago the failure was told', async () => {
    const bench = startBench()
    bench.fault = 'disk is full'
    numbers(MAX_WAITING + 3).forEach((item) => bench.buffer.push(item))
    bench.buffer.flush()
    bench.buffer.close()
    await bench.clock.advance(RETRY_MS)
    expect([bench.written, bench.warnings, bench.clock.pending()]).toEqual([
      [],
      [
        `usage cannot be written: disk is full; ${MAX_WAITING} records wait, 3 older ones are lost`,
        `usage cannot be written: disk is full; ${MAX_WAITING + 3} records are lost`,
      ],
      0,
    ])
  })
})
