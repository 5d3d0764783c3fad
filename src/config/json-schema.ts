import * as z from 'zod'
import { configSchema } from './schema.ts'

/**
 * The schema of config.json for editors (JSON Schema 2020-12). Every value may also be written as `"{env:NAME}"` or
 * `"{file:path}"`, so numbers and switches accept such a text too.
 */
export function configJsonSchema(): z.core.JSONSchema.JSONSchema {
  return {
    title: 'swapgate configuration',
    ...z.toJSONSchema(configSchema, {
      io: 'input',
      override: ({ jsonSchema }) => orSubstituted(jsonSchema),
    }),
  }
}

const SUBSTITUTED = '^\\{(env|file):[^{}]+\\}$'

const PLAIN_TYPES = new Set(['integer', 'number', 'boolean'])

/** Lets a value also be written as a substitution, where its own rule would not allow such a text. */
function orSubstituted(schema: z.core.JSONSchema.BaseSchema): void {
  const { description: _description, default: _default, ...rule } = schema
  const isText = rule.type === 'string' && (rule.pattern ?? rule.enum ?? rule.format) !== undefined
  if (!isText && !PLAIN_TYPES.has(String(rule.type))) return
  for (const name of Object.keys(rule)) Reflect.deleteProperty(schema, name)
  schema.anyOf = [rule, { type: 'string', pattern: SUBSTITUTED }]
}
