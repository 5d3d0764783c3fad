import { field } from '../../json/read-unknown.ts'
import { holderOf } from '../config-files.ts'
import type { JsonPath } from '../jsonc.ts'
import { AnotherGate, freeName, providerToWrite } from '../provider-to-write.ts'
import { PROVIDER_ID } from '../render-config.ts'
import { writeCommand } from '../write-command.ts'
import type { CheckInput } from './check-input.ts'

type Known = Pick<CheckInput, 'files' | 'document' | 'gate' | 'machine'>

/** The command that writes the gate's settings into the file in which something stands, as it works here. */
export function commandFor(input: Known, path: JsonPath): string {
  const { files, gate, machine } = input
  const own = holderOf(files, path)
  const file = [...files, ...(own ? [own] : [])].findLast(
    ({ untouched }) => untouched === undefined,
  )
  return writeCommand({
    file: file?.name,
    url: gate.urlToAsk,
    keyVariable: machine.keyVariable,
    provider: canWriteUsual(input) ? undefined : freeName(input.document.value),
  })
}

/** Whether the command works without a name: not where that is another gate's, or would be hidden by one in the form of OpenCode 2. */
function canWriteUsual({ document, gate, machine }: Known): boolean {
  const { urls: gateUrls, upstreamUrl, isUpstreamKnown } = gate
  try {
    const id = providerToWrite(document.value, {
      id: PROVIDER_ID,
      gateUrls,
      upstreamUrl: isUpstreamKnown ? upstreamUrl : undefined,
      replaced: machine.replaced,
    })
    return field(field(document.value, 'providers'), id) === undefined
  } catch (error) {
    if (error instanceof AnotherGate) return false
    throw error
  }
}
