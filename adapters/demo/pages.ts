import { MODELS } from './models.ts'
import { sendEmpty, sendText } from './replies.ts'
import type { Handler } from './visit.ts'

const UI = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>swapgate demo upstream</title>
<h1>swapgate demo upstream</h1>
<p>This stands in for llama-swap where none is installed. It generates text without a model, so that
a client can be connected and tried. Do not use it for anything else.</p>
<ul>
${MODELS.map(({ id, name }) => `<li><code>${id}</code>: ${name}</li>`).join('\n')}
</ul>
<p><a href="/v1/models">models</a> · <a href="/running">running</a> · <a href="/logs">logs</a></p>
</html>
`

/** GET /health. */
export const health: Handler = ({ res }) => sendText(res, 'OK')

/** GET /logs: what happened lately, without prompts. */
export const logs: Handler = ({ demo, res }) => sendText(res, demo.log.text())

/** GET /ui/: a page that says what this is. */
export const ui: Handler = ({ res }) => {
  res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
  res.end(UI)
}

/** Leads elsewhere; llama-swap does so for / and /ui. */
export function redirect(status: number, location: string): Handler {
  return ({ res }) => sendEmpty(res, status, { location })
}
