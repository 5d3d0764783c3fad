import { entries, field, texts } from '../json/read-unknown.ts'
import { secretsIn } from './check/address/address-secrets.ts'
import { checkHidden, hiddenBy } from './check/models/hidden-models.ts'
import { isVariableName } from './check/keys/secrets.ts'
import type { JsonPath } from './jsonc.ts'
import { hasOwnKey, namesOfKey, rightEnv } from './key-variable.ts'
import { addressOf, isAtGate, isBehindGate, isFilledIn, type KnownGate } from './known-gate.ts'
import { takesInput } from './merge-models.ts'
import { holdsKey } from './provider-to-write.ts'
import { firstModel, type OpencodeProvider } from './render-config.ts'
import type { TheirModel } from './their-models.ts'

/** What was written, and where. */
export type Merged = {
  /** The file as it was. */
  document: unknown
  /** The provider that was written, as the gate has it and as it stood there. */
  id: string
  ours: OpencodeProvider
  theirs: unknown
  written: readonly TheirModel[]
  /** `compaction.reserved` of the file. */
  reserved: number | undefined
  gate: KnownGate
  /** The environment variables that are set. */
  variables: ReadonlySet<string>
}

/** What a person should know of a file that the gate's settings were put into: all that this left alone. */
export function mergeNotes(merged: Merged): string[] {
  const { document, id, theirs, gate } = merged
  const models = modelsNow(merged)
  const shown = models.filter((model) => hiddenBy({ value: theirs }, model) === undefined)
  const hidden = checkHidden({ value: theirs, path: ['provider', id], models })
  const first = firstModel(shown.map(({ key, name }) => ({ id: key, name })))
  return [
    ...turnedOff(document, id),
    ...keysAsNames(merged),
    ...otherNames(merged),
    ...keyInAddress(merged),
    ...(isBehindGate(addressOf(theirs, gate), gate) && holdsKey(theirs) ? [keyFromBehind(id)] : []),
    ...takenKeys(merged),
    ...badReserve(merged),
    ...hidden.map(({ message, fix }) => `${message} ${fix}`),
    ...staying(merged, { shown, first: first?.id }),
    ...choice(document, first && `${id}/${first.id}`),
  ]
}

/** What turns the provider off, however right it is. */
function turnedOff(document: unknown, id: string): string[] {
  const enabled = field(document, 'enabled_providers')
  const isLeftOut = Array.isArray(enabled) && !enabled.includes(id)
  const isOff = texts(field(document, 'disabled_providers')).includes(id)
  return [
    ...(isLeftOut
      ? [`OpenCode will not show ${id}: "enabled_providers" does not name it. Add it there.`]
      : []),
    ...(isOff
      ? [`OpenCode will not show ${id}: "disabled_providers" names it. Take it out there.`]
      : []),
  ]
}

function keysAsNames({ theirs, id, variables }: Merged): string[] {
  if (namesOfKey(theirs).every((name) => isVariableName(name, variables))) return []
  return [
    `What stands in "env" of ${id} is no name of a variable, but may be the key itself: take it out of this file.`,
  ]
}

/** OpenCode sends no key at all where there are several. */
function otherNames({ theirs, id, ours, variables }: Merged): string[] {
  const names = namesOfKey(theirs)
  if (names.length < 2 || hasOwnKey(theirs)) return []
  if (rightEnv(theirs, { ours: ours.env, variables }) === undefined)
    return [
      `"env" of ${id} has several names, so OpenCode sends no key. Leave ${ours.env.join(', ')} alone there.`,
    ]
  return [
    `"env" of ${id} named ${names.join(', ')}: OpenCode sends a key only where it names one variable, and now it names ${ours.env.join(', ')}.`,
  ]
}

function takenKeys({ id, ours, theirs, written }: Merged): string[] {
  return Object.keys(ours.models)
    .filter((model) => isTaken(model, { theirs, written }))
    .map(
      (model) =>
        `${model} was not written: in the models of ${id}, another one stands under its name. Rename that one, and write again.`,
    )
}

/** Whether the entry under the name of a model is for another, and none is for this. */
function isTaken(model: string, { theirs, written }: Pick<Merged, 'theirs' | 'written'>): boolean {
  if (written.some(({ id }) => id === model)) return false
  return field(field(theirs, 'models'), model) !== undefined
}

function badReserve({ ours, reserved }: Merged): string[] {
  const without = Object.entries(ours.models).flatMap(([id, model]) =>
    takesInput(model, reserved) ? [] : [id],
  )
  if (without.length === 0) return []
  return [
    `"compaction": { "reserved": ${reserved} } does not suit ${without.join(', ')}, so there is no limit.input there, beside which alone it counts. It stays as it is.`,
  ]
}

function keyInAddress({ theirs, id, ours }: Merged): string[] {
  const address = field(field(theirs, 'options'), 'baseURL')
  const right = secretsIn(ours.options.baseURL)
  if (typeof address !== 'string' || isFilledIn(theirs)) return []
  if (secretsIn(address).every((secret) => right.includes(secret))) return []
  return [
    `The address of ${id} holds what may be a key, so it stays as it is. OpenCode does not send it as one: export it as ${ours.env.join(' or ')}, and write "baseURL": ${JSON.stringify(ours.options.baseURL)}.`,
  ]
}

function keyFromBehind(id: string): string {
  return `${id} led past the gate to llama-swap itself. The key that stands there goes to the gate now, and has to be one of the gate's.`
}

type ModelNow = { key: string; name: string; value: unknown; path: JsonPath }

/** The gate's models as they are in the file now, under the names that the user gave them. */
function modelsNow({ id, ours, theirs, written }: Merged): ModelNow[] {
  return Object.entries(ours.models).flatMap(([model, { name }]) => {
    const there = written.filter((one) => one.id === model)
    if (isTaken(model, { theirs, written })) return []
    const all = there.length > 0 ? there : [{ key: model, value: undefined }]
    return all.map(({ key, value }) => {
      const path = ['provider', id, 'models', key]
      return { key, name, value, path }
    })
  })
}

type ToChoose = { shown: readonly ModelNow[]; first: string | undefined }

/** Providers that lead to the same box, and are not touched. */
function staying({ document, id, gate }: Merged, { shown, first }: ToChoose): string[] {
  const model = field(document, 'model')
  const others = entries(field(document, 'provider')).filter(([name]) => name !== id)
  return [
    ...others.map(([name, value]) => ({ form: '', name, address: addressOf(value, gate) })),
    ...entries(field(document, 'providers')).map(([name, value]) => ({
      form: ', in the form of OpenCode 2',
      name,
      address: addressOf({ options: field(value, 'settings') }, gate),
    })),
  ].flatMap(({ form, name, address }) => {
    const where = leadsTo(address, gate)
    if (where === undefined) return []
    const stays = `The provider ${name} leads ${where}${form}; it stays as it is.`
    if (typeof model !== 'string' || !model.startsWith(`${name}/`)) return [stays]
    const same = shown.find(({ key }) => `${name}/${key}` === model)?.key ?? first
    const instead =
      same === undefined
        ? ''
        : ` For the one that was written: "model": ${JSON.stringify(`${id}/${same}`)}.`
    return [`${stays} "model" still chooses it.${instead}`]
  })
}

function leadsTo(address: string | undefined, gate: KnownGate): string | undefined {
  if (isAtGate(address, gate)) return 'to the gate, too'
  return isBehindGate(address, gate) ? 'past the gate to llama-swap itself' : undefined
}

function choice(document: unknown, model: string | undefined): string[] {
  if (model === undefined || field(document, 'model') !== undefined) return []
  return [
    `This file chooses no model to begin with. To choose one: "model": ${JSON.stringify(model)}.`,
  ]
}
