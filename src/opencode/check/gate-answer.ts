import type { CatalogueModel } from '../../llama-swap/catalogue.ts'
import { readCatalogue } from '../../llama-swap/read-catalogue.ts'
import { readListing } from '../../llama-swap/read-listing.ts'
import { field } from '../../llama-swap/read-unknown.ts'
import type { GateFault } from './finding.ts'

/** What came back for `GET /v1/models`. */
export type GateAnswer = { status: number; body: string }

/** Who was asked, and with which key: the name of its variable, and whether that is set. */
export type Asked = { url: string; keyVariable: string; hasKey: boolean }

/** Why a gate could not be read, and the next step. Never holds the key. */
export type GateProblem = { code: GateFault; message: string; fix: string }

export type GateModels =
  | { ok: true; models: CatalogueModel[] }
  | { ok: false; problem: GateProblem }

/** The models that a gate says a key may use, from its answer to `GET /v1/models`. */
export function readGateAnswer({ status, body }: GateAnswer, asked: Asked): GateModels {
  const records = status === 200 ? readListing(body) : undefined
  if (!records) return { ok: false, problem: problemOf({ status, body }, asked) }
  const isGate = records.every((record) => field(field(record, 'meta'), 'swapgate') !== undefined)
  if (isGate) return { ok: true, models: readCatalogue(records) }
  return {
    ok: false,
    problem: {
      code: 'not-a-gate',
      message: `${asked.url} answers like llama-swap or another model server, not like the gate.`,
      fix: 'Give --url the address of the gate: port 3000, unless config.json says otherwise.',
    },
  }
}

function problemOf({ status, body }: GateAnswer, asked: Asked): GateProblem {
  const { url, keyVariable, hasKey } = asked
  const said = whatItSays(body)
  if (status === 401 && !hasKey)
    return {
      code: 'gate-key-unset',
      message: `${url} wants a key, and ${keyVariable} is not set here.`,
      fix: `export ${keyVariable}=<your key>, or name another variable with --key-env.`,
    }
  if (status === 401)
    return {
      code: 'gate-key-refused',
      message: `${url} refused the key in ${keyVariable}${said}`,
      fix: `Compare ${keyVariable} with the key that the gate's owner gave you.`,
    }
  if (status === 403)
    return {
      code: 'gate-key-forbidden',
      message: `The key in ${keyVariable} is known, but may not use models${said}`,
      fix: 'The owner of the gate adds "inference" to the "scopes" of the key in config.json.',
    }
  if (said !== '.' || status >= 500 || status === 429)
    return {
      code: 'gate-failed',
      message: `${url} answered with ${status}${said}`,
      fix: 'Try again. If it stays so, the log of the gate says why.',
    }
  return {
    code: 'not-a-gate',
    message: `${url} answers with ${status}, and not like the gate.`,
    fix: 'Give --url the address of the gate, without /v1: http://<box>:3000.',
  }
}

/** A variable that holds something that cannot be sent as a key. */
export function malformedKey(keyVariable: string): GateProblem {
  return {
    code: 'gate-key-refused',
    message: `What ${keyVariable} holds is no key: there is a blank, a line end or a letter with an accent in it.`,
    fix: 'Copy the key again, from sk- to the last character.',
  }
}

const MOST_CHARACTERS = 200

/** The message of an error, cut and without anything that a terminal would act on. */
function whatItSays(body: string): string {
  try {
    const value: unknown = JSON.parse(body)
    const message = field(field(value, 'error'), 'message')
    if (typeof message !== 'string') return '.'
    return `: ${message.replaceAll(/[^\x20-\x7e]/g, ' ').slice(0, MOST_CHARACTERS)}`
  } catch {
    return '.'
  }
}

/** Codes of Node, Bun and Deno for certificates that cannot be trusted. */
const TLS =
  /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|ERR_TLS|ERR_SSL|EPROTO|invalid peer certificate/i

/** Why nobody could be asked at all, from what the runtime says of a connection that failed. */
export function connectionProblem(url: string, reason: string): GateProblem {
  if (TLS.test(reason))
    return {
      code: 'gate-tls',
      message: `The certificate of ${url} is not trusted here (${reason}).`,
      fix: 'For a private CA: export NODE_EXTRA_CA_CERTS=/path/to/ca.pem, here and where OpenCode runs.',
    }
  return {
    code: 'gate-unreachable',
    message: `${url} cannot be reached (${reason}).`,
    fix: 'Is the gate running, does it listen for other machines (HOST=0.0.0.0), is the address right?',
  }
}
