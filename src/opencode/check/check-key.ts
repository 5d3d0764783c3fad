import { entries, field, texts } from '../../llama-swap/read-unknown.ts'
import type { ConfigFile } from '../config-files.ts'
import type { JsonPath } from '../jsonc.ts'
import type { CheckInput, MachineFacts } from './check-input.ts'
import type { Found } from './finding.ts'
import { text, type WrittenProvider } from './read-written.ts'
import { isVariableName } from './secrets.ts'

const WHOLE_VARIABLE = /^\{env:([^{}]+)\}$/
const PLACEHOLDER = /\{(?:env|file):[^{}]+\}/
const KEY_HEADERS = new Set(['authorization', 'x-api-key', 'api-key'])

type About = { files: readonly ConfigFile[]; machine: MachineFacts; provider: WrittenProvider }

/** Where the key comes from. What is found never holds the key itself. */
export function checkKey({ files, machine }: CheckInput, provider: WrittenProvider): Found[] {
  const about = { files, machine, provider }
  const path = apiKeyPath(provider)
  const apiKey = text(field(field(provider.value, 'options'), 'apiKey'))
  const headers = keyHeaders(provider)
  const found = [
    ...[path, ...headers.map((header) => header.path)].flatMap((each) => literals(about, each)),
    ...(namesIn(provider).every(isName(about)) ? [] : [keyInEnv(about)]),
  ]
  if (apiKey === undefined) {
    return headers.some(({ isSent }) => isSent) || !namesIn(provider).every(isName(about))
      ? found
      : checkVariable(about)
  }
  if (apiKey.trim() === '') return [...found, empty(about, path)]
  const variable = WHOLE_VARIABLE.exec(apiKey)?.[1]
  if (variable !== undefined) return [...found, fromVariable(about, path, variable)]
  return found
}

function apiKeyPath({ path }: WrittenProvider): JsonPath {
  return [...path, 'options', 'apiKey']
}

/** All that stands in `env`, also what is no name. */
function namesIn({ value }: WrittenProvider): string[] {
  return texts(field(value, 'env'))
}

/** The variable that OpenCode takes the key from, or is to take it from. */
function variableOf(about: About): string {
  const { machine, provider } = about
  const names = namesIn(provider).filter(isName(about))
  return names.find((name) => machine.variables.has(name)) ?? names[0] ?? machine.keyVariable
}

function isName({ machine }: Pick<About, 'machine'>): (text: string) => boolean {
  return (name) => isVariableName(name, machine.variables)
}

/** What each file itself has at a path: OpenCode takes the last, and the one below it when that is gone. */
function ownTexts({ files }: About, path: JsonPath): Array<{ file: string; held: string }> {
  return files.flatMap(({ name, document }) => {
    const held = text(path.reduce(field, document.value))
    return held === undefined ? [] : [{ file: name, held }]
  })
}

/** Whether OpenCode sends the same key when nothing stands at this path any more, in none of the files. */
function canGo(about: About, path: JsonPath, name: string): boolean {
  const { machine, provider } = about
  const isGiven = (held: string): boolean =>
    held.trim() === '' || WHOLE_VARIABLE.exec(held)?.[1] === name || machine.holds(name, held)
  // A stored key counts more than one in "env". A header hides apiKey, which comes to light then.
  return (
    !machine.storedKeys.has(provider.id) &&
    [path, apiKeyPath(provider)].every((each) =>
      ownTexts(about, each).every(({ held }) => isGiven(held)),
    )
  )
}

/** `env` with the variable in it that is to count: OpenCode takes the first that is set. */
function named({ machine, provider }: About, wanted: string): string[] {
  const names = namesIn(provider)
  const used = names.find((name) => machine.variables.has(name)) ?? wanted
  if (used === wanted && names.includes(wanted)) return names
  return [wanted, ...names.filter((name) => name !== wanted)]
}

type Removal = { path: JsonPath; name: string; file?: string | undefined }

/** Takes a key out of one file, or of all; `env` names the variable in its place. */
function toVariable(about: About, { path, name, file }: Removal): Found['changes'] {
  return [
    { path, value: undefined, ...(file === undefined ? {} : { file }) },
    { path: [...about.provider.path, 'env'], value: named(about, name) },
  ]
}

/** The keys at a path, each of the file that has it. */
function literals(about: About, path: JsonPath): Found[] {
  return ownTexts(about, path)
    .filter(({ held }) => held.trim() !== '' && !PLACEHOLDER.test(held))
    .map(({ file }) => ({ ...literal(about, path), file }))
}

/** The key is shown only once, so the file may have the only copy: it is taken out when the variable holds it. */
function literal(about: About, path: JsonPath): Found {
  const { isShared, storedKeys } = about.machine
  const name = variableOf(about)
  const danger = isShared
    ? 'and git does not ignore the file: the key ends up in the repository'
    : 'where everybody who gets the file can read it'
  const isSafe = canGo(about, path, name)
  const first = storedKeys.has(about.provider.id)
    ? 'First remove the stored key with "opencode auth logout", or OpenCode takes that one. '
    : `First export ${name}=<the key>. `
  return {
    code: 'key-literal',
    severity: isShared ? 'error' : 'warning',
    path,
    message: `The key stands in the file, ${danger}.`,
    fix: `${isSafe ? '' : first}Take it out and write "env": ["${name}"].${isShared ? ' If it was committed, replace it by a new one.' : ''}`,
    changes: isSafe ? toVariable(about, { path, name }) : [],
  }
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

/** The file whose value counts. */
function holderOf(about: About, path: JsonPath): string | undefined {
  return ownTexts(about, path).at(-1)?.file
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
