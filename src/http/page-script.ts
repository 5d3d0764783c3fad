/**
 * What the page does in a browser. The key stays in its field and in the request: no storage, no address, gone with the
 * page. Whatever the gate says becomes text, never markup.
 */
export const PAGE_SCRIPT = String.raw`'use strict'
const by = (id) => document.getElementById(id)
const make = (tag, text, ...children) => {
  const node = document.createElement(tag)
  if (text) node.textContent = text
  node.append(...children)
  return node
}
const { base, fixed } = document.body.dataset
const { origin } = location
const inContainer = (url) => url.replace(/^(https?:\/\/)(localhost|127\.[\d.]+|\[::1\])(?=[:/]|$)/i, '$1host.docker.internal')
const file = origin + '/opencode.json'
// Of another host than the gate was asked for, the gate would not believe it.
const isOtherWay = !fixed && base !== origin && new URL(base).hostname === location.hostname
// Behind a proxy the gate may not know its own address, but the browser does.
function own(text) {
  if (fixed || base === origin) return text
  const mine = text.replaceAll(base, origin).replaceAll(inContainer(base), inContainer(origin))
  if (!isOtherWay) return mine
  return mine.replaceAll("'" + file + "'", file).replaceAll(file, "'" + file + '?base=' + origin + "'")
}

function copyByHand(text) {
  const area = make('textarea', text)
  document.body.append(area)
  area.select()
  const done = document.execCommand('copy')
  area.remove()
  return done
}

async function copy(button) {
  const text = button.closest('figure,.row').querySelector('code').textContent
  // Browsers offer the clipboard only to pages of https and of this machine.
  const done = await (navigator.clipboard?.writeText(text) ?? Promise.reject()).then(
    () => true,
    () => copyByHand(text),
  )
  button.textContent = done ? 'Copied' : 'Select it and copy'
  by('copied').textContent = done ? 'Copied.' : 'Copying is not allowed here.'
  button.focus()
  setTimeout(() => {
    button.textContent = 'Copy'
    by('copied').textContent = ''
  }, 2000)
}

function figure(title, { where, text }) {
  const button = make('button', 'Copy')
  button.setAttribute('aria-label', 'Copy: ' + title + ', ' + where)
  button.type = 'button'
  button.className = 'copy'
  const pre = make('pre', '', make('code', own(text)))
  return make('figure', '', make('figcaption', '', make('span', where), button), pre)
}

function showSnippets(snippets) {
  for (const { client, title, blocks, notes } of snippets) {
    const list = make('ul', '', ...notes.map((note) => make('li', note)))
    list.className = 'notes'
    by('for-' + client).replaceChildren(...blocks.map((block) => figure(title, block)), list)
  }
}

function modelItem({ id, name, use, context, certainty, why, isLoaded }) {
  const title = make('div', '', make('code', id))
  if (isLoaded) {
    const mark = make('span', 'loaded')
    mark.className = 'mark'
    title.append(mark)
  }
  const about = make('div', [name === id ? '' : name, use === 'chat' ? '' : use].filter(Boolean).join(', '))
  const size = context === null ? 'Context unknown' : context.toLocaleString('en') + ' tokens'
  const how = { exact: ', exact', estimate: ', an estimate' }[certainty] ?? ''
  const line = make('div', '', make('b', size), how + (why && ': ' + why))
  line.className = 'soft'
  return make('li', '', title, about, line)
}

function showModels(models, chosen) {
  by('models').replaceChildren(...models.map(modelItem))
  by('model').replaceChildren(
    ...models.filter(({ use }) => use === 'chat').map(({ id }) => make('option', id)),
  )
  by('model').value = chosen
  by('found').hidden = models.length === 0
  by('choice').hidden = by('model').length === 0
}

function say(text, isBad) {
  by('said').textContent = text
  by('said').className = isBad ? 'bad' : 'soft'
  by('key').setAttribute('aria-invalid', String(isBad))
}

let asked = 0
async function ask(model) {
  const turn = ++asked
  const key = by('key').value.trim()
  if (!/^[\x21-\x7e]+$/.test(key)) return say(key ? 'A key has no spaces and no special letters.' : 'Enter the key first.', true)
  say('Asking the gate ...', false)
  try {
    const answer = await fetch('connect.json' + (model === undefined ? '' : '?model=' + encodeURIComponent(model)), {
      headers: { authorization: 'Bearer ' + key },
      cache: 'no-store',
    })
    const told = await answer.json()
    if (turn !== asked) return
    if (!answer.ok) return say(told.error.message, true)
    if (model === undefined) showModels(told.models, told.model)
    showSnippets(told.snippets)
    const count = told.models.length
    if (count === 0) return say('This key opens no model.', true)
    say(count + (count === 1 ? ' model' : ' models') + '. The settings below are for ' + told.model + '.', false)
  } catch {
    if (turn === asked) say('The gate cannot be reached. Does it run, and is this machine still connected to it?', true)
  }
}

for (const code of document.querySelectorAll('code')) code.textContent = own(code.textContent)
for (const node of document.querySelectorAll('[data-script]')) node.hidden = false
document.addEventListener('click', ({ target }) => {
  if (target.classList.contains('copy')) copy(target)
})
by('ask').addEventListener('submit', (event) => {
  event.preventDefault()
  ask()
})
by('model').addEventListener('change', (event) => ask(event.target.value))
`
