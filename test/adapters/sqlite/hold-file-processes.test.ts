import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { holdFile } from '../../../adapters/sqlite/hold-file.ts'
import { openTemporary, temporaryFolder } from './open-temporary.ts'
import { PROGRAMS, RUNTIMES } from './runtimes.ts'

type Holder = {
  /** The next line that it prints; undefined when it has ended. */
  line(): Promise<string | undefined>
  /** Kills it as a crash would, and waits for its end. */
  kill(): Promise<void>
}

/** A process of one runtime that wants to hold the file. */
function startHolder([, program, ...args]: (typeof RUNTIMES)[number], words: string[]): Holder {
  const child = spawn(program, [...args, join(PROGRAMS, 'hold.ts'), ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async line() {
      const next = await lines.next()
      return next.done ? undefined : next.value
    },
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

function refusalFor(file: string): string {
  return `Another gate is using ${file}. Stop it, or give this one a usage.file of its own.`
}

async function linesOf(holder: Holder): Promise<Array<string | undefined>> {
  return [await holder.line(), await holder.line()]
}

test.each(RUNTIMES)(
  'what %s holds no other process gets on any runtime, until it is killed; all may read',
  async (...holding) => {
    const file = join(temporaryFolder(), 'usage.db')
    const database = await openTemporary(file)
    const holder = startHolder(holding, [file, '0'])
    expect(await linesOf(holder)).toEqual(['trying', 'held'])
    const refused = RUNTIMES.map((runtime) => linesOf(startHolder(runtime, [file, '0'])))
    expect(await Promise.all(refused)).toEqual(RUNTIMES.map(() => ['trying', refusalFor(file)]))
    database.exec("INSERT INTO limit_state VALUES ('a', 'text', 1)")
    const reader = new DatabaseSync(file, { readOnly: true })
    expect({ ...reader.prepare('SELECT key_id FROM limit_state').get() }).toEqual({ key_id: 'a' })
    reader.close()

    await holder.kill()
    expect(await linesOf(startHolder(holding, [file, '0']))).toEqual(['trying', 'held'])
  },
  60_000,
)

test('a second try of the process that holds it does not open it to others', async () => {
  const file = join(temporaryFolder(), 'usage.db')
  const held = await holdFile(file, 0)
  expect(await holdFile(file, 0)).toEqual({ ok: false, message: refusalFor(file) })
  const others = RUNTIMES.map((runtime) => linesOf(startHolder(runtime, [file, '0'])))
  expect(await Promise.all(others)).toEqual(RUNTIMES.map(() => ['trying', refusalFor(file)]))
  expect(held).toEqual({ ok: true, release: expect.any(Function) })
}, 60_000)

test.each(RUNTIMES)(
  'a process that is just ending is waited for: %s',
  async (...waiting) => {
    const file = join(temporaryFolder(), 'usage.db')
    const before = startHolder(waiting, [file, '0'])
    expect(await linesOf(before)).toEqual(['trying', 'held'])
    const after = startHolder(waiting, [file, '10000'])
    expect(await after.line()).toBe('trying')
    await before.kill()
    expect(await after.line()).toBe('held')
  },
  60_000,
)
