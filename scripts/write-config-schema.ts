import { writeFileSync } from 'node:fs'
import { configJsonSchema } from '../src/config/json-schema.ts'

// Run after a change to src/config/schema.ts: `npm run schema`.
writeFileSync('config.schema.json', `${JSON.stringify(configJsonSchema(), null, 2)}\n`)
