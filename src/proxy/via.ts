/** How many gates may stand behind one another; a chain of more is a loop that changes its face. */
const MOST_GATES = 4

/** `[protocol/]version pseudonym` (RFC 9110 §7.6.3), of a gate. */
const GATE = /^(?:[a-z]+\/)?\d(?:\.\d)? +(swapgate-[0-9a-f]{8})$/i

/** What the loop guard knows: this gate's own name, and how it reads and writes Via. */
export type ViaGuard = {
  /** Whether a request has been here before, or through too many gates. */
  isLoop(via: string | undefined): boolean
  /** The gates that a request came through, as the field names them; undefined where there was none. */
  before(via: string | undefined): string | undefined
  /** The field for what this gate sends: the gates before it, as they came, and itself. */
  next(via: string | undefined): string
}

/**
 * Finds requests that go round in circles. Only entries of gates count and are passed on: others tell of the client's
 * network.
 *
 * @param id eight hex digits that no other gate has
 */
export function createViaGuard(id: string): ViaGuard {
  const own = `swapgate-${id}`
  return {
    isLoop(via) {
      const gates = gatesIn(via)
      return gates.length >= MOST_GATES || gates.includes(own)
    },
    before(via) {
      const gates = gatesIn(via)
      return gates.length === 0 ? undefined : written(gates)
    },
    next: (via) => written([...gatesIn(via), own]),
  }
}

function written(gates: readonly string[]): string {
  return gates.map((gate) => `1.1 ${gate}`).join(', ')
}

function gatesIn(via: string | undefined): string[] {
  if (via === undefined) return []
  const entries = withoutComments(via).split(',')
  return entries.flatMap((entry) => GATE.exec(entry.trim())?.[1]?.toLowerCase() ?? [])
}

/** RFC 9110 §5.6.5: comments nest, and a backslash takes the next character's meaning. */
function withoutComments(text: string): string {
  let kept = ''
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!
    if (character === '(') depth++
    else if (depth === 0) kept += character
    else if (character === '\\') at++
    else if (character === ')') depth--
  }
  return kept
}
