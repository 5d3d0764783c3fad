import { CLIENT_LIST, snippetText } from '../../src/cli/snippet-text.ts'
import type { ClientName } from '../../src/connect/clients.ts'
import { snippetFor } from '../../src/connect/snippets.ts'
import { gateUrl } from '../../src/connect/gate-url.ts'
import { knownModels, type Known } from './known-models.ts'
import { tell, type Failure, type Outcome } from './outcome.ts'

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
  const found = known.ok ? known : withoutModels(url, known)
  if (!found.ok) return found
  const { baseUrl, models, notes } = found
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

/** The address is enough for all but the names of models; one that cannot be a gate's is not. */
function withoutModels(
  url: string | undefined,
  why: Failure,
): Outcome<Pick<Known, 'baseUrl' | 'models' | 'notes'>> {
  if (url === undefined) return why
  const gate = gateUrl(url)
  if (!gate.ok) return why
  const note = `${why.message}\nThe settings below are without its models.`
  return { ok: true, baseUrl: gate.url, models: [], notes: [note] }
}
