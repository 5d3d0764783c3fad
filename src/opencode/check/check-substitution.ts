import { holderOf, type ConfigFile } from '../config-files.ts'
import { pathAt, placeAt, placeOf, type JsonPath } from '../jsonc.ts'
import { placeholdersIn, type Placeholder } from '../substitute.ts'
import type { CheckInput } from './check-input.ts'
import { NO_NAME } from './keys/check-key.ts'
import type { Finding } from './finding.ts'
import { readProviders } from './read-written.ts'
import { isFileName, isVariableName } from './keys/secrets.ts'

/** `{env:NAME}` and `{file:path}`, which OpenCode replaces before it reads a file. Those of `apiKey` are told elsewhere. */
export function checkSubstitution(input: CheckInput): Finding[] {
  return [...inFiles(input), ...inAddresses(input)]
}

function inFiles({ files, machine }: CheckInput): Finding[] {
  return files.flatMap((file) =>
    placeholdersIn(file.text).flatMap((placeholder): Finding[] => {
      const { kind, name, offset } = placeholder
      const path = pathOf(file, placeholder)
      const where = `${file.name}:${placeAt(file.text, offset).line}`
      if (kind === 'file')
        return machine.canRead(name, file.name) ? [] : [noFile({ where, path: path ?? [] }, name)]
      if (!path || path.at(-1) === 'apiKey' || machine.variables.has(name)) return []
      return [
        isVariableName(name, machine.variables)
          ? unset({ where, path }, name)
          : noName({ where, path }),
      ]
    }),
  )
}

/** `${NAME}`, which OpenCode replaces in addresses only, and leaves where no such variable is set. */
function inAddresses(input: CheckInput): Finding[] {
  const { files, machine } = input
  return readProviders(input).flatMap(({ baseUrl: { path, text = '' } }) =>
    [...text.matchAll(/\$\{([^{}]+)\}/g)].flatMap(([, name = '']): Finding[] => {
      if (machine.variables.has(name)) return []
      const file = holderOf(files, path)
      const where = file ? `${file.name}:${placeOf(file.document, path).line}` : ''
      return [
        isVariableName(name, machine.variables)
          ? unset({ where, path }, name)
          : noName({ where, path }),
      ]
    }),
  )
}

/** Undefined in a comment. In a file that is JSON only after the replacement, positions say nothing. */
function pathOf({ text, document }: ConfigFile, { offset }: Placeholder): JsonPath | undefined {
  return text === document.text ? pathAt(document, offset) : []
}

type Place = Pick<Finding, 'where' | 'path'>

/** Somebody may have written the key itself where a path belongs. */
function noFile(place: Place, name: string): Finding {
  const named = isFileName(name) ? `The file ${name}` : 'The file that is named here'
  return {
    ...place,
    code: 'file-missing',
    severity: 'error',
    message: `${named} cannot be read, so OpenCode does not start${place.path.length === 0 ? ', even if this is a comment' : ''}.`,
    fix: 'Make the file, or remove this entry.',
    changes: [],
  }
}

/** It may be the key itself, so it is not repeated. */
function noName(place: Place): Finding {
  return {
    ...place,
    code: 'key-as-name',
    severity: 'error',
    message: NO_NAME,
    fix: 'Write the name of the variable.',
    changes: [],
  }
}

function unset(place: Place, name: string): Finding {
  return {
    ...place,
    code: 'env-unset',
    severity: 'warning',
    message: `${name} is not set here, so OpenCode puts nothing in its place.`,
    fix: `Set ${name}, or remove this entry.`,
    changes: [],
  }
}
