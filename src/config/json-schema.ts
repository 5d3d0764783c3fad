import * as z from 'zod'
import { configSchema } from './schema.ts'

/**
 * The schema of config.json for editors (JSON Schema 2020-12). Every value may also be written as `"{env:NAME}"` or
 * `"{file:path}"`, so numbers and switches accept such a text too.
 */
export function configJsonSchema(): object {
  return {
    title: 'swapgate configuration',
    ...z.toJSONSchema(configSchema, {
      io: 'input',
      override: ({ jsonSchema }) => {
        const { type, description, default: fallback, ...rest } = jsonSchema
        if (type !== 'integer' && type !== 'boolean' && type !== 'number') return
        for (const name of Object.keys(rest)) Reflect.deleteProperty(jsonSchema, name)
        Reflect.deleteProperty(jsonSchema, 'type')
        jsonSchema.anyOf = [{ type, ...rest }, { type: 'string', pattern: SUBSTITUTED }]
      },
    }),
  }
}

const SUBSTITUTED = '^\\{(env|file):[^{}]+\\}$'
