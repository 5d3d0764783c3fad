import type { Snippet, SnippetBlock } from '../connect/clients.ts'
import { PAGE_SCRIPT } from './page-script.ts'
import { PAGE_STYLE } from './page-style.ts'

/** What the page says before anybody has entered a key. */
export type PageContent = {
  baseUrl: string
  /** Whether the owner has said what the base URL is, so that the browser's word does not count. */
  isBaseUrlFixed: boolean
  /** Settings with a name that stands for a model. */
  snippets: readonly Snippet[]
}

const ICON =
  "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><path fill='%230b6b62' d='M2 15V6a6 6 0 0 1 12 0v9h-3V6a3 3 0 0 0-6 0v9z'/></svg>"

/** The page at `/`: one file with everything in it, useful without a key and without a script. */
export function pageHtml({ baseUrl, isBaseUrlFixed, snippets }: PageContent): string {
  const url = escapeHtml(baseUrl)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>swapgate: connect a client</title>
<link rel="icon" href="${ICON}">
<style>${PAGE_STYLE}</style>
</head>
<body data-base="${url}"${isBaseUrlFixed ? ' data-fixed="1"' : ''}>
<main>
<h1>swapgate</h1>
<p class="soft">The gate in front of a GPU box: one address for its models, with a key for each person.</p>
<h2>Base URL</h2>
<div class="card">
<div class="row"><code>${url}/v1</code>${copyButton('Base URL')}</div>
<p class="soft">Clients of Anthropic's API, such as Claude Code, take it without <code>/v1</code>.</p>
</div>
<h2 id="key-title">Your key</h2>
<div class="card">
<noscript><p>With JavaScript this page would show the models of your key. The settings below need none: put your model in the place of <code>your-model</code>.</p></noscript>
<form id="ask" hidden data-script>
<label for="key">Key, as its owner gave it to you</label>
<div class="row"><input id="key" type="password" autocomplete="off" spellcheck="false" autocapitalize="off" aria-describedby="said key-use"><button class="main">Show models</button></div>
<div id="said" role="status" aria-live="polite"></div>
<p id="key-use" class="soft">It shows your models and completes the settings. It is sent to this gate only, and forgotten when you leave the page.</p>
</form>
<div id="found" hidden>
<h2>Your models</h2>
<ul id="models"></ul>
<div id="choice"><label for="model">Model in the settings below</label><select id="model"></select></div>
</div>
</div>
<h2>Settings for your client</h2>
${snippets.map((snippet, at) => section(snippet, at === 0)).join('\n')}
<p id="copied" role="status" aria-live="polite" class="soft"></p>
<footer>The list of models is at <code>/v1/models</code>, your usage at <code>/usage</code>. Both need the key.</footer>
</main>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`
}

function copyButton(what: string): string {
  return `<button type="button" class="copy" aria-label="Copy: ${escapeHtml(what)}" hidden data-script>Copy</button>`
}

function section({ client, title, blocks, notes }: Snippet, isOpen: boolean): string {
  const items = notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('')
  return `<details name="client"${isOpen ? ' open' : ''}><summary><h3>${escapeHtml(title)}</h3></summary>
<div class="inside" id="for-${client}">${blocks.map((block) => figure(title, block)).join('')}<ul class="notes">${items}</ul></div></details>`
}

function figure(title: string, { where, text }: SnippetBlock): string {
  return `<figure><figcaption><span>${escapeHtml(where)}</span>${copyButton(`${title}, ${where}`)}</figcaption><pre><code>${escapeHtml(text)}</code></pre></figure>`
}

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text as it may stand between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign)
}
