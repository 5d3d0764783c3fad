import { field } from '../../../json/read-unknown.ts'
import type { JsonPath } from '../../jsonc.ts'
import type { CheckInput } from '../check-input.ts'
import { checkKeyText } from './check-key-text.ts'
import type { Found } from '../finding.ts'
import { keyHeaders } from './key-headers.ts'
import {
  apiKeyPath,
  canGo,
  holderOf,
  isName,
  namesIn,
  toVariable,
  variableOf,
  WHOLE_VARIABLE,
  type About,
  type Removal,
} from './key-places.ts'
import { text, type WrittenProvider } from '../read-written.ts'

/** Where the key comes from. What is found never holds the key itself. */
export function checkKey(input: CheckInput, provider: WrittenProvider): Found[] {
  const about = { ...input, provider }
  const path = apiKeyPath(provider)
  const apiKey = text(field(field(provider.value, 'options'), 'apiKey'))
  const headers = keyHeaders(provider)
  const found = [
    ...[path, ...headers.map((header) => header.path)].flatMap((each) => checkKeyText(about, each)),
    ...(namesIn(provider).every(isName(about)) ? [] : [keyInEnv(about)]),
  ]
  if (apiKey === undefined) {
    const isTold = headers.some(({ isSent }) => isSent) || !namesIn(provider).every(isName(about))
    return isTold ? found : [...found, ...checkVariable(about)]
  }
  if (apiKey.trim() === '') return [...found, empty(about, path)]
  const variable = WHOLE_VARIABLE.exec(apiKey)?.[1]
  if (variable !== undefined) return [...found, fromVariable(about, path, variable)]
  return found
}

/** Said of a key in the place of its variable's name. */
export const NO_NAME =
  'What stands here is no name of a variable. If it is the key itself, everybody who gets the file can read it.'

/** The key in the place of its variable's name. It is not repeated, and taken out only when the variable has it. */
function keyInEnv(
  about: About,
  wrong = namesIn(about.provider).filter((each) => !isName(about)(each)),
): Found {
  const name = variableOf(about)
  const isSafe = wrong.every((each) => about.machine.holds(name, each))
  const path = [...about.provider.path, 'env']
  const names = namesIn(about.provider).filter(isName(about))
  return {
    code: 'key-as-name',
    severity: 'error',
    path,
    message: NO_NAME,
    fix: `${isSafe ? '' : `First export ${name}=<the key>. `}Write "env": ["${name}"].`,
    changes: isSafe ? [{ path, value: names.length > 0 ? names : [name] }] : [],
  }
}

function empty(about: About, path: JsonPath): Found {
  return {
    code: 'key-empty',
    severity: 'error',
    path,
    message:
      'apiKey is empty: OpenCode sends no key at all, not even one from "env" or a stored one.',
    fix: `Remove it and write "env": ["${variableOf(about)}"].`,
    changes: toVariable(about, { path, name: variableOf(about), file: holderOf(about, path) }),
  }
}

function fromVariable(about: About, path: JsonPath, name: string): Found {
  const file = holderOf(about, path)
  if (!isName(about)(name)) {
    const { code, severity, message, fix, changes } = keyInEnv(about, [name])
    return {
      code,
      severity,
      path,
      message,
      fix: fix.replace('Write', 'Remove apiKey and write'),
      changes: changes.length > 0 ? toVariable(about, { path, name: variableOf(about), file }) : [],
    }
  }
  const isSet = about.machine.variables.has(name)
  const trap = 'sends no key at all then, not even a stored one'
  return {
    code: isSet ? 'key-env-trap' : 'key-env-unset',
    severity: isSet ? 'hint' : 'error',
    path,
    message: isSet
      ? `apiKey has a trap: where ${name} is not set, OpenCode ${trap}.`
      : `${name} is not set here, and OpenCode ${trap}.`,
    fix: `Remove apiKey and write "env": ["${name}"], which has no such trap${isSet ? '' : `; then export ${name}=<your key>`}.`,
    changes: changesFor(about, { path, name, file }),
  }
}

/** Where no key is sent, nothing is lost; a key that is sent must stay the same. */
function changesFor(about: About, { path, name, file }: Removal): Found['changes'] {
  if (!about.machine.variables.has(name)) return toVariable(about, { path, name, file })
  return canGo(about, path, name) ? toVariable(about, { path, name }) : []
}

function checkVariable({ machine, provider }: About): Found[] {
  const names = namesIn(provider)
  const path = [...provider.path, 'env']
  const isStored = machine.storedKeys.has(provider.id)
  const set = names.find((name) => machine.variables.has(name))
  if (set !== undefined) return isStored ? [storedToo(provider, path, set)] : []
  if (isStored) return []
  if (names.length === 0)
    return [
      {
        code: 'key-variable-missing',
        severity: 'warning',
        path,
        message:
          'Nothing says where the key comes from: only one stored with "opencode auth login" is sent.',
        fix: `Write "env": ["${machine.keyVariable}"].`,
        changes: [{ path, value: [machine.keyVariable] }],
      },
    ]
  return [
    {
      code: 'key-variable-unset',
      severity: 'warning',
      path,
      message: `${names.join(', ')} is not set in this shell.`,
      fix: `export ${names[0]}=<your key>, or store the key with "opencode auth login" under the id ${provider.id}.`,
      changes: [],
    },
  ]
}

function storedToo({ id }: WrittenProvider, path: JsonPath, name: string): Found {
  return {
    code: 'key-stored-too',
    severity: 'warning',
    path,
    message: `A key is stored for ${id}, too, and OpenCode takes that one, not the one in ${name}.`,
    fix: `"opencode auth logout" removes the stored key; or unset ${name}.`,
    changes: [],
  }
}
