import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium, type Browser } from 'playwright-core'

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A name that leads to this machine, but is none of those that a browser takes for it. */
export const OTHER_NAME = 'box.test'

/** Starts the installed Chromium with an empty profile, which is deleted with it. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumBin(),
    args: [...ARGUMENTS, `--host-resolver-rules=MAP ${OTHER_NAME} 127.0.0.1`],
  })
}

function chromiumBin(): string {
  const named = process.env['CHROMIUM_BIN']
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const places = named === undefined ? folders.map((folder) => join(folder, 'chromium')) : [named]
  const found = places.find(isProgram)
  if (found !== undefined) return found
  const where = named === undefined ? 'on the PATH' : `at CHROMIUM_BIN=${named}`
  throw new Error(
    `There is no Chromium ${where}. Run "bash test/browser/setup-chromium.sh" as root (Debian, Ubuntu), or export CHROMIUM_BIN=/path/to/chrome`,
  )
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
