import { entries, field } from '../../../json/read-unknown.ts'
import type { JsonPath } from '../../jsonc.ts'
import { readChoice } from '../read-written.ts'

/** A model that is chosen for something. */
export type Choice = { path: JsonPath; provider: string; model: string }

export const MAIN: JsonPath = ['model']
export const SMALL: JsonPath = ['small_model']

/** Where agents, modes and commands choose a model. */
export function sectionPaths(value: unknown): JsonPath[] {
  return ['agent', 'mode', 'command'].flatMap((section) =>
    entries(field(value, section)).map(([name]) => [section, name, 'model']),
  )
}

/** What is chosen at a path; undefined where it names no provider. */
export function choiceAt(value: unknown, path: JsonPath): Choice | undefined {
  const choice = readChoice(path.reduce(field, value))
  return choice && { path, ...choice }
}

/** All models that are chosen for anything. */
export function readChoices(value: unknown): Choice[] {
  return [MAIN, SMALL, ...sectionPaths(value)].flatMap((path) => choiceAt(value, path) ?? [])
}
