import type { JsonPath } from '../../jsonc.ts'
import type { Found } from '../finding.ts'
import { PLACEHOLDER } from './key-headers.ts'
import {
  apiKeyPath,
  canGo,
  ownTexts,
  toVariable,
  variableOf,
  withoutStored,
  type About,
} from './key-places.ts'
import { variableElsewhere } from './secrets.ts'

/** What stands in the place of a key, in each file that has it: the key itself, or what OpenCode takes for it. */
export function checkKeyText(about: About, path: JsonPath): Found[] {
  return ownTexts(about, path).flatMap(({ file, held }) => {
    const name = variableElsewhere(held, about.machine.variables)
    if (name !== undefined) return [placeholder(about, { path, name, file })]
    return held.trim() === '' || PLACEHOLDER.test(held)
      ? []
      : [literal(about, { path, held, file })]
  })
}

type Placeholder = { path: JsonPath; name: string; file: string }

/** A variable in the form of a shell. There is no key in it, so that nothing is lost. */
function placeholder(about: About, { path, name, file }: Placeholder): Found {
  const { machine, provider } = about
  // The header of one model counts for that one only, and "env" for all.
  const isForAll = path[2] === 'options' || name === variableOf(about)
  const what = path.join('.') === apiKeyPath(provider).join('.') ? 'apiKey' : 'the header'
  const isSet = machine.variables.has(name)
  return {
    code: 'key-placeholder',
    severity: 'error',
    path,
    file,
    message: `This is no placeholder that OpenCode knows: it does not put the variable ${name} here, and the gate refuses the key.`,
    fix: `${isForAll ? `Remove ${what} and write "env": ["${name}"]` : `Write "{env:${name}}"`}${isSet ? '' : `; then export ${name}=<your key>`}.`,
    changes: isForAll ? toVariable(about, { path, name, file }) : [],
  }
}

type Literal = { path: JsonPath; held: string; file: string }

/** The key is shown only once, so the file may have the only copy: it is taken out when the variable holds it. */
function literal(about: About, { path, held, file }: Literal): Found {
  const { isShared } = about.machine
  const name = variableOf(about)
  const danger = isShared
    ? 'and git does not ignore the file: the key ends up in the repository'
    : 'where everybody who gets the file can read it'
  const isSafe = canGo(about, path, name)
  const first = withoutStored(about) || `First export ${name}=<the key>. `
  return {
    code: 'key-literal',
    severity: isShared ? 'error' : 'warning',
    path,
    file,
    message: `The key stands in the file, ${danger}.${untried(about, held)}`,
    fix: `${isSafe ? '' : first}Take it out and write "env": ["${name}"].${isShared ? ' If it was committed, replace it by a new one.' : ''}`,
    changes: isSafe ? toVariable(about, { path, name }) : [],
  }
}

/** Only the key in the variable is sent to the gate: a file may be for another one. */
function untried({ gate, machine }: About, held: string): string {
  const { keyVariable, variables, holds } = machine
  if (!gate.isNamed || holds(keyVariable, held)) return ''
  const sent = variables.has(keyVariable) ? `with the one in ${keyVariable}` : 'without a key'
  return ` It was not tried: the gate was asked ${sent}.`
}
