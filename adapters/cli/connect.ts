import { CLIENT_LIST, snippetText } from '../../src/cli/snippet-text.ts'
import type { ClientName } from '../../src/connect/clients.ts'
import { snippetFor } from '../../src/connect/snippets.ts'
import { knownModels } from './known-models.ts'
import { tell, type Failure } from './outcome.ts'

/** What `swapgate connect` is asked for. */
export type ConnectOptions = {
  client: ClientName | undefined
  url: string | undefined
  model: string | undefined
  keyVariable: string
}

/** Prints the settings of a client; those do not depend on the models alone, so they are there without them, too. */
export async function connect(
  { client, url, model, keyVariable }: ConnectOptions,
  env: NodeJS.ProcessEnv,
): Promise<Failure | undefined> {
  if (client === undefined) {
    process.stdout.write(CLIENT_LIST)
    return undefined
  }
  const known = await knownModels({ url, keyVariable }, env)
  if (!known.ok && url === undefined) return known
  if (!known.ok) tell(`${known.message}\nThe settings below are without its models.`)
  const { baseUrl, models, notes } = known.ok
    ? known
    : { baseUrl: url ?? '', models: [], notes: [] }
  for (const note of notes) tell(note)
  if (
    model !== undefined &&
    known.ok &&
    !models.some(({ id, aliases }) => [id, ...aliases].includes(model))
  )
    tell(`the gate has no model ${model} for this key; it stands below all the same.`)
  process.stdout.write(snippetText(snippetFor(client, { baseUrl, models, model, keyVariable })))
  return undefined
}
