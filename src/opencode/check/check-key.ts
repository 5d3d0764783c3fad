import { entries, field, texts } from '../../llama-swap/read-unknown.ts'
import type { JsonPath } from '../jsonc.ts'
import type { CheckInput, MachineFacts } from './check-input.ts'
import type { Found } from './finding.ts'
import { text, type WrittenProvider } from './read-written.ts'
import { isVariableName } from './secrets.ts'

const WHOLE_VARIABLE = /^\{env:([^{}]+)\}$/
const PLACEHOLDER = /\{(?:env|file):[^{}]+\}/
const KEY_HEADERS = new Set(['authorization', 'x-api-key', 'api-key'])

type About = { machine: MachineFacts; provider: WrittenProvider }

/** Where the key comes from. What is found never holds the key itself. */
export function checkKey({ machine }: CheckInput, provider: WrittenProvider): Found[] {
  const about = { machine, provider }
  const path = [...provider.path, 'options', 'apiKey']
  const apiKey = text(field(field(provider.value, 'options'), 'apiKey'))
  const headers = keyHeaders(provider)
  const found = [
    ...headers.filter(({ isLiteral }) => isLiteral).map((header) => literal(about, header.path)),
    ...(namesIn(provider).every(isVariableName) ? [] : [keyInEnv(about)]),
  ]
  if (apiKey === undefined) {
    return headers.some(({ isSent }) => isSent) ||
      namesIn(provider).some((name) => !isVariableName(name))
      ? found
      : checkVariable(about)
  }
  if (apiKey.trim() === '') return [...found, empty(about, path)]
  const variable = WHOLE_VARIABLE.exec(apiKey)?.[1]
  if (variable !== undefined) return [...found, fromVariable(about, path, variable)]
  return PLACEHOLDER.test(apiKey) ? found : [...found, literal(about, path)]
}

/** All that stands in `env`, also what is no name. */
function namesIn({ value }: WrittenProvider): string[] {
  return texts(field(value, 'env'))
}

/** The variable that OpenCode takes the key from, or is to take it from. */
function variableOf({ machine, provider }: About): string {
  return namesIn(provider).find(isVariableName) ?? machine.keyVariable
}

/** Takes a key out of the file; `env` names the variable in its place. */
function toVariable(about: About, path: JsonPath, name?: string): Found['changes'] {
  const named = namesIn(about.provider)
  const wanted = name ?? variableOf(about)
  const value = named.includes(wanted) ? named : [wanted, ...named]
  return [
    { path, value: undefined },
    { path: [...about.provider.path, 'env'], value },
  ]
}

/** The key is shown only once, so the file may have the only copy: it is taken out when the variable is there. */
function literal(about: About, path: JsonPath): Found {
  const { isShared, variables } = about.machine
  const name = variableOf(about)
  const danger = isShared
    ? 'and git does not ignore the file: the key ends up in the repository'
    : 'where everybody who gets the file can read it'
  const isSafe = variables.has(name)
  const first = isSafe ? '' : `First export ${name}=<the key>. `
  return {
    code: 'key-literal',
    severity: isShared ? 'error' : 'warning',
    path,
    message: `The key stands in the file, ${danger}.`,
    fix: `${first}Take it out and write "env": ["${name}"].${isShared ? ' If it was committed, replace it by a new one.' : ''}`,
    changes: isSafe ? toVariable(about, path) : [],
  }
}

/** Said of a key in the place of its variable's name. */
export const NO_NAME =
  'What stands here is no name of a variable. If it is the key itself, everybody who gets the file can read it.'

/** The key in the place of its variable's name. It is not repeated, and taken out only when the variable has it. */
function keyInEnv(about: About): Found {
  const name = variableOf(about)
  const isSafe = about.machine.variables.has(name)
  const path = [...about.provider.path, 'env']
  const names = namesIn(about.provider).filter(isVariableName)
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
    changes: toVariable(about, path),
  }
}

function fromVariable(about: About, path: JsonPath, name: string): Found {
  if (!isVariableName(name)) {
    const { code, severity, message, fix, changes } = keyInEnv(about)
    return {
      code,
      severity,
      path,
      message,
      fix: fix.replace('Write', 'Remove apiKey and write'),
      changes: changes.length > 0 ? toVariable(about, path) : [],
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
    changes: toVariable(about, path, name),
  }
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

type KeyHeader = {
  path: JsonPath
  isLiteral: boolean
  /** The gate gets a key by it, or will when it has been mended. */
  isSent: boolean
}

/** Headers of the provider and of its models that carry a key. */
function keyHeaders({ path, value, models }: WrittenProvider): KeyHeader[] {
  const places = [
    {
      path: [...path, 'options', 'headers'],
      value: field(field(value, 'options'), 'headers'),
      isForAll: true,
    },
    ...models.map((model) => ({
      path: [...model.path, 'headers'],
      value: field(model.value, 'headers'),
      isForAll: false,
    })),
  ]
  return places.flatMap((place) =>
    entries(place.value).flatMap(([name, held]) => {
      const header = name.toLowerCase()
      if (!KEY_HEADERS.has(header) || typeof held !== 'string') return []
      const isLiteral = !PLACEHOLDER.test(held)
      const isSent = isLiteral || (place.isForAll && header !== 'api-key')
      return [{ path: [...place.path, name], isLiteral, isSent }]
    }),
  )
}
