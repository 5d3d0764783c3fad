import { entries, field, texts } from '../../llama-swap/read-unknown.ts'
import type { JsonPath } from '../jsonc.ts'
import type { CheckInput, MachineFacts } from './check-input.ts'
import type { Found } from './finding.ts'
import { text, type WrittenProvider } from './read-written.ts'

const WHOLE_VARIABLE = /^\{env:([^{}]+)\}$/
const PLACEHOLDER = /\{(?:env|file):[^{}]+\}/
const KEY_HEADERS = new Set(['authorization', 'x-api-key'])

/** Where the key comes from. What is found never holds the key itself. */
export function checkKey({ machine }: CheckInput, provider: WrittenProvider): Found[] {
  const path = [...provider.path, 'options', 'apiKey']
  const apiKey = text(field(field(provider.value, 'options'), 'apiKey'))
  const inHeaders = keyHeaders(provider).map((header) => literal({ machine, provider }, header))
  if (apiKey === undefined)
    return inHeaders.length > 0 ? inHeaders : checkVariable(machine, provider)
  if (apiKey.trim() === '') return [...inHeaders, empty({ machine, provider }, path)]
  const variable = WHOLE_VARIABLE.exec(apiKey)?.[1]
  if (variable !== undefined)
    return [...inHeaders, fromVariable({ machine, provider }, path, variable)]
  return PLACEHOLDER.test(apiKey) ? inHeaders : [...inHeaders, literal({ machine, provider }, path)]
}

type About = { machine: MachineFacts; provider: WrittenProvider }

/** Takes a key out of the file; `env` names the variable in its place. */
function toVariable({ machine, provider }: About, path: JsonPath, name?: string): Found['changes'] {
  const named = texts(field(provider.value, 'env'))
  const value = name === undefined || named.includes(name) ? named : [name, ...named]
  const env = {
    path: [...provider.path, 'env'],
    value: value.length > 0 ? value : [machine.keyVariable],
  }
  return [{ path, value: undefined }, env]
}

/** The key is shown only once, so the file may have the only copy: it is taken out when the variable is there. */
function literal(about: About, path: JsonPath): Found {
  const { machine, provider } = about
  const { isShared } = machine
  const changes = toVariable(about, path)
  const name = texts(field(provider.value, 'env'))[0] ?? machine.keyVariable
  const danger = isShared
    ? 'and git does not ignore the file: the key ends up in the repository'
    : 'where everybody who gets the file can read it'
  const isSafe = machine.variables.has(name)
  const first = isSafe ? '' : `First export ${name}=<the key>. `
  return {
    code: 'key-literal',
    severity: isShared ? 'error' : 'warning',
    path,
    message: `The key stands in the file, ${danger}.`,
    fix: `${first}Take it out and write "env": ["${name}"].${isShared ? ' If it was committed, replace it by a new one.' : ''}`,
    changes: isSafe ? changes : [],
  }
}

function empty(about: About, path: JsonPath): Found {
  return {
    code: 'key-empty',
    severity: 'error',
    path,
    message:
      'apiKey is empty: OpenCode sends no key at all, not even one from "env" or a stored one.',
    fix: `Remove it and write "env": ["${about.machine.keyVariable}"].`,
    changes: toVariable(about, path),
  }
}

function fromVariable(about: About, path: JsonPath, name: string): Found {
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

function checkVariable(machine: MachineFacts, provider: WrittenProvider): Found[] {
  const names = texts(field(provider.value, 'env'))
  const path = [...provider.path, 'env']
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
  if (names.some((name) => machine.variables.has(name))) return []
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

/** Headers of the provider and of its models that hold a key. */
function keyHeaders({ path, value, models }: WrittenProvider): JsonPath[] {
  const places = [
    { path: [...path, 'options', 'headers'], value: field(field(value, 'options'), 'headers') },
    ...models.map((model) => ({
      path: [...model.path, 'headers'],
      value: field(model.value, 'headers'),
    })),
  ]
  return places.flatMap((place) =>
    entries(place.value)
      .filter(
        ([name, held]) =>
          KEY_HEADERS.has(name.toLowerCase()) &&
          typeof held === 'string' &&
          !PLACEHOLDER.test(held),
      )
      .map(([name]) => [...place.path, name]),
  )
}
