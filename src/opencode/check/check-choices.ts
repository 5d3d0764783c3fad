import { entries, field } from '../../llama-swap/read-unknown.ts'
import { createResidency } from '../../queue/residency.ts'
import type { JsonPath } from '../jsonc.ts'
import type { CheckInput } from './check-input.ts'
import type { Found } from './finding.ts'
import { readChoice, type WrittenModel, type WrittenProvider } from './read-written.ts'

type Choice = { path: JsonPath; provider: string; model: string }
type About = { input: CheckInput; provider: WrittenProvider }

/** Which models are chosen for what: each one must be there, and a change between two of them can cost a load. */
export function checkChoices(input: CheckInput, provider: WrittenProvider): Found[] {
  const { value } = input.document
  const about = { input, provider }
  const main = choiceAt(value, ['model'])
  const small = choiceAt(value, ['small_model'])
  const agents = ['agent', 'mode', 'command'].flatMap((section) =>
    entries(field(value, section)).map(([name]) => choiceAt(value, [section, name, 'model'])),
  )
  const ours = [main, small, ...agents].filter((choice) => choice?.provider === provider.id)
  const usual = main ? modelOf(about, main) : provider.models[0]
  return [
    ...ours.flatMap((choice) =>
      choice && !modelOf(about, choice) ? [missing(about, choice)] : [],
    ),
    ...(small && usual ? checkSmall(about, small, usual) : []),
    ...agents.flatMap((choice) => (choice && usual ? checkAgent(about, choice, usual) : [])),
  ]
}

function choiceAt(value: unknown, path: JsonPath): Choice | undefined {
  const choice = readChoice(path.reduce(field, value))
  return choice && { path, ...choice }
}

function modelOf({ provider }: About, choice: Choice): WrittenModel | undefined {
  if (choice.provider !== provider.id) return undefined
  return provider.models.find(({ key }) => key === choice.model)
}

function missing({ provider }: About, { path, model }: Choice): Found {
  const known = provider.models.map(({ key }) => key)
  return {
    code: 'choice-missing',
    severity: 'error',
    path,
    message: `${model} is chosen here, but ${provider.id} has no such model in this file.`,
    fix:
      known.length > 0
        ? `One of: ${known.map((key) => `${provider.id}/${key}`).join(', ')}.`
        : 'Add the model.',
    changes: [],
  }
}

function checkSmall(about: About, small: Choice, usual: WrittenModel): Found[] {
  const changes = [{ path: small.path, value: undefined }]
  const model = modelOf(about, small)
  if (small.provider !== about.provider.id)
    return [
      {
        code: 'small-model-elsewhere',
        severity: 'hint',
        path: small.path,
        message: `The first message of every session goes to ${small.provider}, too, for a title.`,
        fix: 'Remove small_model to keep it on the box.',
        changes,
      },
    ]
  if (!model || !swaps(about, model, usual)) return []
  return [
    {
      code: 'small-model-swaps',
      severity: 'warning',
      path: small.path,
      message: `Each new session loads ${model.wireName} for its title and ${usual.wireName} again for the answer: they are not loaded together.`,
      fix: 'Remove small_model.',
      changes,
    },
  ]
}

function checkAgent(about: About, choice: Choice, usual: WrittenModel): Found[] {
  const model = modelOf(about, choice)
  if (!model || !swaps(about, model, usual)) return []
  return [
    {
      code: 'agent-model-swaps',
      severity: 'warning',
      path: choice.path,
      message: `It loads ${model.wireName} in place of ${usual.wireName}, and back again afterwards: they are not loaded together.`,
      fix: `Use one model for both, or put both into a group with "swap: false" in config.yaml.`,
      changes: [{ path: choice.path, value: undefined }],
    },
  ]
}

/** Without llama-swap's configuration one model is taken to be loaded at a time, as it is unless groups say otherwise. */
function swaps({ input }: About, one: WrittenModel, other: WrittenModel): boolean {
  const idOf = ({ real, wireName }: WrittenModel): string => {
    if (real?.kind !== 'alias') return real?.id ?? wireName
    return (
      input.models?.find(({ id, kind }) => kind === 'model' && real.aliases.includes(id))?.id ??
      real.id
    )
  }
  const remote = new Set(input.models?.filter(({ kind }) => kind === 'peer').map(({ id }) => id))
  const residency = createResidency(input.box?.groups ?? [], (id) => remote.has(id))
  const [a, b] = [idOf(one), idOf(other)]
  return residency.evicts(a, b) || residency.evicts(b, a)
}
