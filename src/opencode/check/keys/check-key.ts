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
  onlyName,
  toVariable,
  variableOf,
  WHOLE_VARIABLE,
  withoutStored,
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
  return {
    code: 'key-as-name',
    severity: 'error',
    path,
    message: NO_NAME,
    fix: `${isSafe ? '' : `First export ${name}=<the key>. `}Write "env": ["${name}"].`,
    changes: isSafe ? onlyName(about, name) : [],
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
    fix: `${withoutStored(about)}Remove apiKey and write "env": ["${name}"], which has no such trap${isSet ? '' : `; then export ${name}=<your key>`}.`,
    changes: changesFor(about, { path, name, file }),
  }
}

/**
 * Where no key is sent, nothing is lost, unless a stored one would be sent from now on, also by the shells in which the
 * variable is set; a key that is sent must stay the same.
 */
function changesFor(about: About, { path, name, file }: Removal): Found['changes'] {
  const { variables, storedKeys } = about.machine
  if (!variables.has(name))
    return storedKeys.has(about.provider.id) ? [] : toVariable(about, { path, name, file })
  return canGo(about, path, name) ? toVariable(about, { path, name }) : []
}

function checkVariable(about: About): Found[] {
  const { machine, provider } = about
  const names = namesIn(provider)
  const path = [...provider.path, 'env']
  const isStored = machine.storedKeys.has(provider.id)
  const set = names.find((each) => machine.variables.has(each))
  if (isStored) return set === undefined ? [] : [storedToo(provider, path, set)]
  if (names.length > 1) return [several(about, path)]
  if (set !== undefined) return []
  const [name] = names
  if (name === undefined)
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
      message: `${name} is not set in this shell.`,
      fix: `export ${name}=<your key>, or store the key with "opencode auth login" under the id ${provider.id}.`,
      changes: [],
    },
  ]
}

/** OpenCode 1.18 takes a key from `env` only where the list has one name. */
function several(about: About, path: JsonPath): Found {
  const name = variableOf(about)
  const isSet = about.machine.variables.has(name)
  return {
    code: 'env-several',
    severity: 'error',
    path,
    message:
      '"env" has more than one name: OpenCode sends no key then, whichever of the variables is set.',
    fix: `Write "env": ["${name}"]${isSet ? '' : `; then export ${name}=<your key>`}.`,
    changes: onlyName(about, name),
  }
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
