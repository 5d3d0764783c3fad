import type { CatalogueModel } from '../llama-swap/catalogue.ts'
import { readCatalogue } from '../llama-swap/read-catalogue.ts'
import { readListing } from '../llama-swap/read-listing.ts'
import { field } from '../json/read-unknown.ts'
import type { GateFault } from '../opencode/check/finding.ts'
import { withoutKeys } from '../opencode/check/keys/secrets.ts'

const ASKED_PATH = '/v1/models'
/** Below these the gate asks for the scope of llama-swap's own pages. */
const PAGES = /\/(?:ui|logs|upstream|api)(?:\/|$)/

/** What came back for `GET /v1/models`; `location` is where a redirect leads. */
export type GateAnswer = { status: number; body: string; location?: string | undefined }

/** Who was asked, and with which key: the name of its variable, and what it holds. */
export type Asked = { url: string; keyVariable: string; key: string | undefined }

/** Why a gate could not be read, and the next step. Never holds the key. */
export type GateProblem = { code: GateFault; message: string; fix: string }

export type GateModels =
  | { ok: true; models: CatalogueModel[] }
  | { ok: false; problem: GateProblem }

/** The models that a gate says a key may use, from its answer to `GET /v1/models`. */
export function readGateAnswer(answer: GateAnswer, asked: Asked): GateModels {
  const records = answer.status === 200 ? readListing(answer.body) : undefined
  if (!records) return { ok: false, problem: problemOf(answer, asked) }
  const isGate = records.every((record) => field(field(record, 'meta'), 'swapgate') !== undefined)
  if (isGate && (records.length > 0 || isOfGate(answer.body)))
    return { ok: true, models: readCatalogue(records) }
  return {
    ok: false,
    problem: {
      code: 'not-a-gate',
      message: `${asked.url} answers like llama-swap or another model server, not like the gate.`,
      fix: 'Give --url the address of the gate: port 3000, unless config.json says otherwise.',
    },
  }
}

/** An empty list tells nothing of its models; the gate's own has the fields of Anthropic's lists, too. */
function isOfGate(body: string): boolean {
  const list: unknown = JSON.parse(body)
  return field(list, 'has_more') === false
}

function problemOf(answer: GateAnswer, asked: Asked): GateProblem {
  const { status } = answer
  if (status >= 300 && status < 400) return moved(answer, asked)
  if (/plain HTTP request|HTTP request to an HTTPS server/i.test(answer.body))
    return otherScheme(asked.url, 'https')
  const said = whatItSays(answer.body, asked.key)
  if (status === 404 || (status === 403 && PAGES.test(new URL(asked.url).pathname)))
    return wrongPath(asked, status)
  if (status === 401 || status === 403) return refusedKey(asked, status, said)
  if (said !== '.' || status >= 500 || status === 429)
    return {
      code: 'gate-failed',
      message: `${asked.url} answered with ${status}${said}`,
      fix: 'Try again. If it stays so, the log of the gate says why.',
    }
  return {
    code: 'not-a-gate',
    message: `${asked.url} answers with ${status}, and not like the gate.`,
    fix: 'Give --url the address of the gate, without /v1: http://<box>:3000.',
  }
}

function refusedKey({ url, keyVariable, key }: Asked, status: number, said: string): GateProblem {
  if (status === 403)
    return {
      code: 'gate-key-forbidden',
      message: `The key in ${keyVariable} is known, but may not use models${said}`,
      fix: 'The owner of the gate adds "inference" to the "scopes" of the key in config.json.',
    }
  if (key)
    return {
      code: 'gate-key-refused',
      message: `${url} refused the key in ${keyVariable}${said}`,
      fix: `Compare ${keyVariable} with the key that the gate's owner gave you.`,
    }
  return {
    code: 'gate-key-unset',
    message: `${url} wants a key, and ${keyVariable} is not set here.`,
    fix: `export ${keyVariable}=<your key>, or name another variable with --key-env.`,
  }
}

/** A redirect is not followed: it would take the key along. Behind one may be the gate, or a page to log in. */
function moved({ status, location }: GateAnswer, { url, key }: Asked): GateProblem {
  const next = location && URL.canParse(location, url) ? new URL(location, url) : undefined
  const place = next && withoutKeys(next.origin + next.pathname, key)
  if (place?.endsWith(ASKED_PATH))
    return {
      code: 'gate-moved',
      message: `${url} sends on to ${place}.`,
      fix: `--url ${place.slice(0, -ASKED_PATH.length)}`,
    }
  return {
    code: 'not-a-gate',
    message: `${url} sends on to ${place ?? 'another place'} (${status}): a page to log in, or another server.`,
    fix: 'Give --url an address at which the gate itself answers.',
  }
}

function wrongPath({ url }: Asked, status: number): GateProblem {
  const { origin, pathname } = new URL(url)
  const hasPath = pathname !== '/'
  return {
    code: 'not-a-gate',
    message: `${url} answers with ${status} for ${ASKED_PATH}${hasPath ? `: ${pathname} is not where the gate begins.` : ', and not like the gate.'}`,
    fix: hasPath
      ? `--url ${origin}`
      : 'Give --url the address of the gate: port 3000, unless config.json says otherwise.',
  }
}

function otherScheme(url: string, scheme: 'http' | 'https'): GateProblem {
  const spoken = scheme === 'https' ? 'TLS, not plain HTTP' : 'plain HTTP, not TLS'
  return {
    code: 'gate-other-scheme',
    message: `${new URL(url).host} speaks ${spoken}.`,
    fix: `--url ${url.replace(/^https?:/i, `${scheme}:`)}`,
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

/** The message of an error, without keys, cut, and without anything that a terminal would act on. */
function whatItSays(body: string, key: string | undefined): string {
  try {
    const value: unknown = JSON.parse(body)
    const message = field(field(value, 'error'), 'message')
    if (typeof message !== 'string') return '.'
    const words = withoutKeys(message, key).replaceAll(/[^\x20-\x7e]/g, ' ')
    return `: ${words.slice(0, MOST_CHARACTERS)}`
  } catch {
    return '.'
  }
}

/** Codes of Node, Bun and Deno for certificates that cannot be trusted. */
const TLS = /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|ERR_TLS|ERR_SSL|invalid peer certificate/i
/** What they say of a server that answers a TLS greeting with something else. */
const NO_TLS = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|EPROTO|InvalidContentType/
/** What they say of one that hangs up, as a server for TLS does with plain HTTP. */
const HUNG_UP = /ECONNRESET|UND_ERR_SOCKET|HPE_INVALID|connection closed/i

/** Why nobody could be asked at all, from what the runtime says of a connection that failed. */
export function connectionProblem(url: string, reason: string): GateProblem {
  if (NO_TLS.test(reason) && /^https:/i.test(url)) return otherScheme(url, 'http')
  if (TLS.test(reason))
    return {
      code: 'gate-tls',
      message: `The certificate of ${url} is not trusted here (${reason}).`,
      fix: 'For a private CA: export NODE_EXTRA_CA_CERTS=/path/to/ca.pem, here and where OpenCode runs.',
    }
  if (HUNG_UP.test(reason) && /^http:/i.test(url))
    return {
      code: 'gate-unreachable',
      message: `${url} hangs up (${reason}).`,
      fix: `If it speaks TLS: --url ${url.replace(/^http:/i, 'https:')}. If not, is it the gate's port?`,
    }
  return {
    code: 'gate-unreachable',
    message: `${url} cannot be reached (${reason}).`,
    fix: 'Is the gate running, does it listen for other machines (HOST=0.0.0.0), is the address right?',
  }
}
