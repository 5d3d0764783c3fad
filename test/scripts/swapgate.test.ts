import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const script = fileURLToPath(new URL('../../scripts/swapgate.sh', import.meta.url))

test('a link to the program runs it from any folder, whatever Node is on the PATH', () => {
  const folder = mkdtempSync(join(tmpdir(), 'swapgate-link-'))
  symlinkSync(script, join(folder, 'swapgate'))
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin' }
  const told = execFileSync(join(folder, 'swapgate'), ['--version'], { cwd: folder, env })
  rmSync(folder, { recursive: true })
  expect(told.toString()).toMatch(/^swapgate \d+\.\d+\.\d+\n$/)
})
