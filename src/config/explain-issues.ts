import * as z from 'zod'
import { didYouMean } from './did-you-mean.ts'
import { configSchema } from './schema.ts'
import type { ConfigPath, ConfigProblem } from './substitute.ts'

type Issue = z.core.$ZodIssue
type JsonSchema = z.core.JSONSchema.BaseSchema

/** Turns the schema's findings into sentences with the fix. `raw` is what was checked. */
export function explainIssues(issues: readonly Issue[], raw: unknown): ConfigProblem[] {
  return issues.flatMap((issue) => explain(issue, [], raw))
}

function explain(issue: Issue, prefix: ConfigPath, raw: unknown): ConfigProblem[] {
  const path = [...prefix, ...issue.path.map((part) => (typeof part === 'symbol' ? '' : part))]
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((name) => unknownField(name, path))
    case 'invalid_union':
      return noBranch(issue.errors, path, raw)
    case 'invalid_value':
      return [{ path, message: notOneOf(issue.values.map(String), valueAt(raw, path)) }]
    case 'invalid_type':
      return [{ path, message: wrongType(issue.expected, valueAt(raw, path)) }]
    case 'invalid_key':
      return issue.issues.map(({ message }) => ({ path, message: `its name ${message}` }))
    case 'invalid_format':
      if (issue.format === 'datetime')
        return [{ path, message: 'must be a time such as 2027-01-01T00:00:00Z' }]
      return [{ path, message: issue.message }]
    case 'too_big':
    case 'too_small':
      return [{ path, message: outOfRange(issue) }]
    default:
      return [{ path, message: withExample(issue.message) }]
  }
}

function outOfRange(issue: z.core.$ZodIssueTooBig | z.core.$ZodIssueTooSmall): string {
  if (issue.origin !== 'number' && issue.origin !== 'int')
    return issue.code === 'too_small' ? 'must not be empty' : issue.message
  return issue.code === 'too_big'
    ? `must be at most ${issue.maximum}`
    : `must be at least ${issue.minimum}`
}

function withExample(message: string): string {
  const isOfUrl = message.startsWith('must be an http:// or https:// URL')
  return isOfUrl ? `${message}, such as http://127.0.0.1:8080` : message
}

/** What other programs call a thing, or where people look for it first. */
const ELSEWHERE = new Map([
  ['port', 'listen.port'],
  ['host', 'listen.host'],
  ['apiKeys', 'keys'],
  ['apiKey', 'keys'],
  ['upstreamUrl', 'upstream.url'],
  ['logLevel', 'log.level'],
])

/** The field that a newcomer's one stands for; a likeness of letters would not lead there. */
function calledHere(name: string, path: ConfigPath): string | undefined {
  if (path.length === 0) return ELSEWHERE.get(name)
  return path[0] === 'keys' && path.length === 2 && name === 'key' ? 'secret' : undefined
}

function unknownField(name: string, path: ConfigPath): ConfigProblem {
  const known = fieldsAt(path)
  const meant = calledHere(name, path) ?? didYouMean(name, known)
  const hint = meant === undefined ? `Known here: ${known.join(', ')}` : `Did you mean "${meant}"?`
  return { path: [...path, name], message: `unknown field. ${hint}` }
}

/** Why a union does not take a value: by the branch that it was meant for, the one that did not fail on its outer type. */
function noBranch(
  branches: readonly (readonly Issue[])[],
  path: ConfigPath,
  raw: unknown,
): ConfigProblem[] {
  const explainAll = (issues: readonly Issue[] = []): ConfigProblem[] =>
    issues.flatMap((inner) => explain(inner, path, raw))
  const meant = branches.find((issues) => !issues.some(isOuterType))
  if (meant) return explainAll(meant)
  const words = branches.flat().flatMap((issue) => ('values' in issue ? issue.values : []))
  const orWords = words.map((word) => `${String(word)} or `).join('')
  return explainAll(branches.at(-1)).map((problem) => ({
    ...problem,
    message: problem.message.replace('must be ', `must be ${orWords}`),
  }))
}

function isOuterType({ code, path }: Issue): boolean {
  return (code === 'invalid_type' || code === 'invalid_value') && path.length === 0
}

function notOneOf(values: string[], given: unknown): string {
  const meant = typeof given === 'string' ? didYouMean(given, values) : undefined
  const hint = meant === undefined ? '' : `. Did you mean "${meant}"?`
  return `must be one of ${values.map((value) => `"${value}"`).join(', ')}${hint}`
}

const ARTICLES: Record<string, string> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text in quotes',
  boolean: 'true or false',
  array: 'a list: [ … ]',
  object: 'an object: { … }',
  record: 'an object: { … }',
}

function wrongType(expected: string, given: unknown): string {
  const must = `must be ${ARTICLES[expected] ?? expected}`
  return given === undefined ? `is missing; it ${must}` : `${must}, but is ${kindOf(given)}`
}

function kindOf(given: unknown): string {
  if (given === null || typeof given === 'boolean') return String(given)
  return Array.isArray(given) ? 'a list' : (ARTICLES[typeof given] ?? typeof given)
}

function valueAt(raw: unknown, path: ConfigPath): unknown {
  return path.reduce<unknown>((value, part) => {
    if (typeof value !== 'object' || value === null) return undefined
    return Object.getOwnPropertyDescriptor(value, part)?.value
  }, raw)
}

let whole: JsonSchema | undefined

/** Names of the fields that the schema knows at a path. */
function fieldsAt(path: ConfigPath): string[] {
  // Made once and only for a fault: making it takes longer than all the rest.
  whole ??= z.toJSONSchema(configSchema, { io: 'input' })
  let schema: JsonSchema | undefined = whole
  for (const part of path) schema = schema && step(schema, part)
  return Object.keys(objectBranch(schema)?.properties ?? {})
}

function step(schema: JsonSchema, part: string | number): JsonSchema | undefined {
  const branch = objectBranch(schema)
  const next = typeof part === 'number' ? branch?.items : branch?.properties?.[part]
  return typeof next === 'object' && !Array.isArray(next) ? next : undefined
}

function objectBranch(schema: JsonSchema | undefined): JsonSchema | undefined {
  const branches = schema?.anyOf ?? schema?.oneOf
  return (
    branches?.find(
      (branch): branch is JsonSchema => typeof branch === 'object' && 'properties' in branch,
    ) ?? schema
  )
}
