import { holderOf } from '../config-files.ts'
import type { JsonPath } from '../jsonc.ts'
import { writeCommand } from '../write-command.ts'
import type { CheckInput } from './check-input.ts'

/** The command that writes the gate's settings into the file in which something stands, as it works here. */
export function commandFor(
  { files, gate, machine }: Pick<CheckInput, 'files' | 'gate' | 'machine'>,
  path: JsonPath,
  provider?: string,
): string {
  const own = holderOf(files, path)
  const file = [...files, ...(own ? [own] : [])].findLast(
    ({ untouched }) => untouched === undefined,
  )
  return writeCommand({
    file: file?.name,
    url: gate.urlToAsk,
    keyVariable: machine.keyVariable,
    provider,
  })
}
