import type { CheckInput } from './check-input.ts'
import type { Found } from './finding.ts'
import { writtenTexts } from './read-written.ts'

const PLACEHOLDERS = /\{(env|file):([^{}]+)\}/g

/** `{env:NAME}` and `{file:path}`, which OpenCode replaces before it reads the file. Those of `apiKey` are told elsewhere. */
export function checkSubstitution({ document, machine }: CheckInput): Found[] {
  return writtenTexts(document.value).flatMap(({ path, text }) =>
    [...text.matchAll(PLACEHOLDERS)].flatMap(([, kind, name = '']): Found[] => {
      if (kind === 'file') return machine.canRead(name) ? [] : [noFile(path, name)]
      return machine.variables.has(name) || path.at(-1) === 'apiKey' ? [] : [unset(path, name)]
    }),
  )
}

function noFile(path: Found['path'], name: string): Found {
  return {
    code: 'file-missing',
    severity: 'error',
    path,
    message: `The file ${name} cannot be read, so OpenCode does not start.`,
    fix: 'Make the file, or remove this entry.',
    changes: [],
  }
}

function unset(path: Found['path'], name: string): Found {
  return {
    code: 'env-unset',
    severity: 'warning',
    path,
    message: `${name} is not set here, so OpenCode puts nothing in its place.`,
    fix: `Set ${name}, or remove this entry.`,
    changes: [],
  }
}
