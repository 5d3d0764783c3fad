import { expect, onTestFinished, test } from 'vitest'
import { shellWord } from '../../src/connect/quoting.ts'
import { startForwarder } from '../support/forwarder.ts'
import { ANSWERED, HOUSEHOLD, KEYS, hello, offered } from './household.ts'
import { leave, logIn } from './log-in.ts'
import { KEY_VARIABLE } from './opencode.ts'
import { KEY, MODEL, startScenario } from './scenario.ts'

test('/.well-known/opencode, where it is turned on: a user who logged in needs neither file nor variable', async () => {
  const way = await startForwarder('http://127.0.0.1:9')
  onTestFinished(() => way.stop())
  const scenario = await startScenario(hello, {
    config: { keys: KEYS, publicUrl: way.url, opencode: { wellKnown: true } },
    models: HOUSEHOLD,
    isEmpty: true,
  })
  onTestFinished(scenario.stop)
  way.leadTo(scenario.gate.url)
  const document: unknown = await (await fetch(`${way.url}/.well-known/opencode`)).json()
  expect(document).toEqual({
    auth: { command: expect.any(Array), env: KEY_VARIABLE },
    // The stored key takes the place of "{env:…}" in what comes from here; a provider's "env" knows nothing of it.
    config: { provider: { 'llama-swap': { options: { apiKey: `{env:${KEY_VARIABLE}}` } } } },
    remote_config: {
      url: `${way.url}/opencode.json`,
      headers: { Authorization: `Bearer {env:${KEY_VARIABLE}}` },
    },
  })
  expect(await logIn(scenario.user, way.url, KEY)).not.toContain(KEY)
  const environment = { [KEY_VARIABLE]: undefined }
  expect(await offered(scenario, environment)).toEqual([
    'llama-swap/gpt-oss-120b',
    `llama-swap/${MODEL}`,
  ])
  const { exitCode, texts, errors } = await scenario.ask('Say hello', { environment })
  expect({ exitCode, texts, errors, ...(await scenario.outcome()) }).toEqual(ANSWERED)
  // Why it is off unless turned on: the gate has stopped, and OpenCode does nothing at all.
  const after = await scenario.user.opencode(['models'], { environment })
  expect(after.exitCode).toBe(1)
  expect(after.stdout + after.stderr).toContain('failed to fetch remote config')
})

test('whoever leaves the question with Ctrl-C has a terminal that shows what is typed, and is not logged in', async () => {
  const way = await startForwarder('http://127.0.0.1:9')
  onTestFinished(() => way.stop())
  const scenario = await startScenario(hello, {
    config: { keys: KEYS, publicUrl: way.url, opencode: { wellKnown: true } },
    models: HOUSEHOLD,
    isEmpty: true,
  })
  onTestFinished(scenario.stop)
  way.leadTo(scenario.gate.url)
  const { auth }: { auth: { command: string[] } } = JSON.parse(
    await (await fetch(`${way.url}/.well-known/opencode`)).text(),
  )
  const settings = [
    // The command alone, too: OpenCode tidies the terminal itself, unless it is killed.
    await leave(scenario.user, auth.command.map(shellWord).join(' ')),
    await leave(scenario.user, `opencode auth login ${way.url}`),
  ]
  expect(settings.map((each) => [each.includes('echo'), each.includes('-echo')])).toEqual([
    [true, false],
    [true, false],
  ])
  const environment = { [KEY_VARIABLE]: undefined }
  expect(await offered(scenario, environment)).toEqual([])
})
