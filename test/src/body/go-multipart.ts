/**
 * A model of how Go 1.22 reads a form (mime/multipart and net/textproto, as llama-swap uses them): what is accepted
 * here in the gate must mean the same there. It follows the library's functions, lenient wherever they are.
 */

export type GoForm = { values: Array<[name: string, value: string]>; files: string[] }

/** Every field of a form in order; undefined where Go answers with an error. */
export function readFormLikeGo(body: Uint8Array, boundary: string): GoForm | undefined {
  try {
    return new GoReader(Buffer.from(body).toString('latin1'), boundary).readForm()
  } catch (error) {
    if (error instanceof GoError) return undefined
    throw error
  }
}

class GoError extends Error {}

type Part = { header: Map<string, string>; content: string }

class GoReader {
  readonly #dashBoundary: string
  readonly #text: string
  #at = 0
  #nl = '\r\n'
  #partsRead = 0

  constructor(text: string, boundary: string) {
    this.#text = text
    this.#dashBoundary = `--${boundary}`
  }

  readForm(): GoForm {
    const form: GoForm = { values: [], files: [] }
    for (let part = this.#nextPart(); part; part = this.#nextPart()) {
      const { name, filename } = dispositionOf(part.header.get('content-disposition') ?? '')
      if (name === '') continue
      if (filename === '') form.values.push([utf8(name), utf8(decoded(part))])
      else form.files.push(utf8(name))
    }
    return form
  }

  /** multipart.Reader.nextPart */
  #nextPart(): Part | undefined {
    for (let expectNewPart = false; ;) {
      const line = this.#readLine()
      if (!line.endsWith('\n')) {
        if (this.#isFinalBoundary(line)) return undefined
        throw new GoError('EOF')
      }
      if (this.#isDelimiter(line)) {
        this.#partsRead++
        return { header: this.#readHeader(), content: this.#readContent() }
      }
      if (this.#isFinalBoundary(line)) return undefined
      if (expectNewPart) throw new GoError('expecting a new Part')
      if (this.#partsRead === 0) continue
      if (line !== this.#nl) throw new GoError('unexpected line')
      expectNewPart = true
    }
  }

  #readLine(): string {
    const end = this.#text.indexOf('\n', this.#at)
    const line = this.#text.slice(this.#at, end < 0 ? undefined : end + 1)
    this.#at += line.length
    return line
  }

  /** multipart.Reader.isBoundaryDelimiterLine: trailing blanks are allowed, and a first bare LF changes the mode. */
  #isDelimiter(line: string): boolean {
    if (!line.startsWith(this.#dashBoundary)) return false
    const rest = line.slice(this.#dashBoundary.length).replace(/^[ \t]+/, '')
    if (this.#partsRead === 0 && rest === '\n') this.#nl = '\n'
    return rest === this.#nl
  }

  #isFinalBoundary(line: string): boolean {
    const last = `${this.#dashBoundary}--`
    if (!line.startsWith(last)) return false
    const rest = line.slice(last.length).replace(/^[ \t]+/, '')
    return rest === '' || rest === this.#nl
  }

  /** textproto.Reader.ReadMIMEHeader: bare LFs end lines, and lines may be folded. */
  #readHeader(): Map<string, string> {
    const header = new Map<string, string>()
    if (/^[ \t]/.test(this.#text.slice(this.#at))) throw new GoError('malformed initial line')
    for (;;) {
      let line = this.#headerLine()
      if (line === '') return header
      while (/^[ \t]/.test(this.#text.slice(this.#at, this.#at + 1)))
        line += ` ${this.#headerLine().trim()}`
      const [, name, value] = /^([^:]*):(.*)$/s.exec(line) ?? []
      if (name === undefined || !/^[\w!#$%&'*+\-.^`|~]+$/.test(name))
        throw new GoError('malformed header line')
      const key = name.toLowerCase()
      if (!header.has(key)) header.set(key, value!.replace(/^[ \t]+/, ''))
    }
  }

  #headerLine(): string {
    const line = this.#readLine()
    if (!line.endsWith('\n')) throw new GoError('EOF')
    return line.replace(/\r?\n$/, '').replace(/[ \t]+$/, '')
  }

  /** scanUntilBoundary: at the very beginning of a content the boundary needs no line break. */
  #readContent(): string {
    const start = this.#at
    const first = this.#text.startsWith(this.#dashBoundary, start)
    if (first && this.#endsBoundary(start + this.#dashBoundary.length)) return ''
    const wanted = this.#nl + this.#dashBoundary
    let from = first ? start + this.#dashBoundary.length : start
    for (;;) {
      const end = this.#text.indexOf(wanted, from)
      if (end < 0) throw new GoError('unexpected EOF')
      if (this.#endsBoundary(end + wanted.length)) {
        this.#at = end
        return this.#text.slice(start, end)
      }
      from = end + wanted.length
    }
  }

  /** matchAfterPrefix */
  #endsBoundary(at: number): boolean {
    return at === this.#text.length || /^(?:[ \t\r\n]|--)/.test(this.#text.slice(at, at + 2))
  }
}

const PARAM = /^\s*;\s*([^\s;="]+)\s*=\s*(?:"((?:[^"\\\r\n]|\\.)*)"|([^\s;,="()<>@:\\/[\]?]+))/

/** Part.FormName and FileName over mime.ParseMediaType; any fault leaves the part without a name. */
function dispositionOf(value: string): { name: string; filename: string } {
  const [, type = '', params = ''] = /^([^;]*)(.*)$/s.exec(value) ?? []
  const isForm = type.trim().toLowerCase() === 'form-data'
  const read = isForm ? paramsOf(params) : undefined
  return { name: read?.get('name') ?? '', filename: read?.get('filename') ?? '' }
}

function paramsOf(text: string): Map<string, string> | undefined {
  const params = new Map<string, string>()
  let left = text
  for (let param = PARAM.exec(left); param; param = PARAM.exec(left)) {
    const [whole, name = '', quoted, token] = param
    if (params.has(name.toLowerCase())) return undefined
    params.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token ?? '')
    left = left.slice(whole.length)
  }
  return ['', ';'].includes(left.trim()) ? params : undefined
}

/** Reader.NextPart decodes quoted-printable by itself. */
function decoded({ header, content }: Part): string {
  const encoding = header.get('content-transfer-encoding') ?? ''
  if (encoding.toLowerCase() !== 'quoted-printable') return content
  return content
    .replace(/[ \t]+(?=\r?\n|$)/g, '')
    .replace(/=\r?\n/g, '')
    .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function utf8(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8')
}
