import { readFileSync } from 'node:fs'
import { parse } from 'smol-toml'
import type { WorkerOptions } from 'miniflare'
import * as z from 'zod'

const FILE = new URL('../../../wrangler.toml', import.meta.url)

const schema = z.object({
  main: z.string(),
  minify: z.boolean(),
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()),
  durable_objects: z.object({
    bindings: z.array(z.object({ name: z.string(), class_name: z.string() })),
  }),
  migrations: z.array(z.object({ new_sqlite_classes: z.array(z.string()) })),
  observability: z.object({
    enabled: z.boolean(),
    logs: z.object({ enabled: z.boolean(), invocation_logs: z.boolean() }),
  }),
})

/** What is deployed: the tests run with the same. */
export const wranglerFile = schema.parse(parse(readFileSync(FILE, 'utf8')))

type DeployedOptions = Pick<
  WorkerOptions,
  'compatibilityDate' | 'compatibilityFlags' | 'durableObjects'
>

/** What `wrangler.toml` says, in the words of Miniflare. */
export function miniflareOptions(): DeployedOptions {
  const { compatibility_date, compatibility_flags, durable_objects, migrations } = wranglerFile
  const sqliteClasses = migrations.flatMap((migration) => migration.new_sqlite_classes)
  return {
    compatibilityDate: compatibility_date,
    compatibilityFlags: compatibility_flags,
    durableObjects: Object.fromEntries(
      durable_objects.bindings.map(({ name, class_name: className }) => [
        name,
        { className, useSQLite: sqliteClasses.includes(className) },
      ]),
    ),
  }
}
