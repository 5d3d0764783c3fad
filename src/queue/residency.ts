import type { ModelGroup } from '../llama-swap/model-config.ts'
import type { Residency } from './arrival.ts'

/** Where llama-swap puts models that no group names. */
const DEFAULT_GROUP: ModelGroup = {
  id: '(default)',
  swap: true,
  exclusive: true,
  persistent: false,
  members: [],
}

/**
 * llama-swap's rule of what can be loaded together: a model stops the others of its group where the group swaps, and
 * those of every group that is not persistent where its own is exclusive. Models of peers (`isRemote`) run on other boxes.
 */
export function createResidency(
  groups: readonly ModelGroup[],
  isRemote: (id: string) => boolean,
): Residency {
  const groupOf = new Map(groups.flatMap((group) => group.members.map((id) => [id, group])))
  return {
    evicts(starting, loaded) {
      if (starting === loaded || isRemote(starting) || isRemote(loaded)) return false
      const own = groupOf.get(starting) ?? DEFAULT_GROUP
      const other = groupOf.get(loaded) ?? DEFAULT_GROUP
      return own === other ? own.swap : own.exclusive && !other.persistent
    },
  }
}
