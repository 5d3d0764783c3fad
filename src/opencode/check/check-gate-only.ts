import { opencodeModels } from '../render-config.ts'
import { writeCommand } from '../write-command.ts'
import type { CheckReport } from './check-config.ts'
import type { CheckInput } from './check-input.ts'
import { proxyInBetween } from './address/check-network.ts'
import type { Finding } from './finding.ts'
import { unwrittenRow } from './model-row.ts'

/** Where there is no configuration of OpenCode: what the gate has for it, and how to get one. */
export function checkGateOnly({ models = [], gate, machine }: CheckInput): CheckReport {
  const [where] = gate.urls
  const hint: Finding = {
    code: 'no-file',
    severity: 'hint',
    where,
    path: [],
    message: 'Only the way to the gate was checked: there is no configuration of OpenCode here.',
    fix: writeCommand({ url: where, keyVariable: machine.keyVariable }),
    changes: [],
  }
  const proxies = proxyInBetween(machine, new URL(where)).map((found) => ({ ...found, where }))
  return { rows: opencodeModels(models).map(unwrittenRow), findings: [...proxies, hint] }
}

/** Why there is nothing to look at. */
export const NO_FILE =
  'there is no opencode.json here, and none for all projects. "swapgate opencode --write" makes one; --url checks the way to a gate.'

/** A fault that kept the check from looking at all: a file is not there, or cannot be used. */
export function unusable(message: string, isMissing = false): Finding {
  return {
    code: isMissing ? 'no-file' : 'file-invalid',
    severity: 'error',
    where: '',
    path: [],
    message,
    fix: 'Correct it, and check again.',
    changes: [],
  }
}
