import { hostname } from 'node:os'
import { readyText, type Ready } from '../../src/cli/ready-text.ts'
import type { GateConfig } from '../../src/config/schema.ts'
import { withoutSlash } from '../../src/config/without-slash.ts'
import { surviveClosedPipes } from '../process/closed-pipes.ts'
import { onStopSignal } from '../process/stop-signals.ts'
import { explainListenError, startGate, type Listening } from '../process/start-gate.ts'
import type { Child } from './child.ts'
import { writeFirstConfig } from './first-config.ts'
import { firstModel } from './first-model.ts'
import { EXIT, failed, tell, type Failure, type Outcome } from './outcome.ts'
import { reachable, urlElsewhere } from './paste-url.ts'
import { prepare, type Prepared } from './prepare.ts'
import { loadRuntime } from './runtimes.ts'
import { answers } from './wait-for-answer.ts'
import { lastWords, startDemo, startLlamaSwap } from './start-upstream.ts'

/** What runs now and has to be stopped at the end. */
type Running = {
  gate?: Listening
  child?: Child
  /** How the process ends; a failure stays one when a signal comes while it is being cleared up. */
  exitCode: number
  /** Set once the end has begun, by a signal or a failure; whoever comes second waits for the same end. */
  ending?: Promise<void>
}

/** llama-swap gives a model 10 s to stop (`unloadTimeout`) before it kills it; it must live long enough to do so. */
const CHILD_GRACE_MS = 15_000
/** When upstream is gone, what still runs in the gate can only fail. */
const FAILED_GRACE_MS = 2_000
/** A closed terminal must not leave llama-swap behind, with a model in the GPU's memory. */
const STOP_SIGNALS: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
/** The default model of docs/opencode.md; the demo lists it last. */
const DEMO_MODEL = 'qwen3-coder-next'

/** Starts what is missing behind the gate, then the gate, and ends both together. Returns when all runs. */
export async function start({ demo }: { demo: boolean }): Promise<void> {
  surviveClosedPipes()
  const preparing = await prepare(demo, process.env)
  if (!preparing.ok) {
    tell(preparing.message)
    process.exit(preparing.exitCode)
  }
  const { prepared } = preparing
  const running: Running = { exitCode: EXIT.stopped }
  process.on('exit', () => running.child?.killNow())
  onStopSignal(async () => {
    await end(running, prepared.config.timeouts.drainMs)
    return running.exitCode
  }, STOP_SIGNALS)
  const failure = await bringUp(prepared, running)
  if (failure) await giveUp(running, failure)
}

async function bringUp(prepared: Prepared, running: Running): Promise<Failure | undefined> {
  const { plan, first } = prepared
  const upstream = await startUpstream(prepared, running)
  if (!upstream.ok) return upstream
  const config = withUpstream(prepared.config, upstream.url)
  const started = await startListening(config, running)
  if (!started.ok || running.ending) return started.ok ? undefined : started
  const model = plan.kind === 'demo' ? DEMO_MODEL : await firstModel(config.upstream)
  if (running.ending) return undefined
  // Only now: a key that was made for a start that failed would be lost.
  const failure = first && writeFirstConfig(first)
  if (failure) return failure
  process.stdout.write(`swapgate listening on ${started.url}\n`)
  const urls = { upstreamUrl: upstream.url, ...urlsOf(config, started.url) }
  process.stdout.write(readyText({ ...urls, ...whatOf(prepared), model }))
  return undefined
}

/** Where clients find the gate: whoever gives it a public URL wants that one, everywhere. */
function urlsOf({ publicUrl }: GateConfig, listening: string): Pick<Ready, 'url' | 'urlElsewhere'> {
  if (publicUrl !== undefined) return { url: withoutSlash(publicUrl), urlElsewhere: undefined }
  return { url: reachable(listening), urlElsewhere: urlElsewhere(listening, hostname()) }
}

function whatOf({ plan, first }: Prepared): Pick<Ready, 'upstream' | 'isStandIn' | 'newKey'> {
  return {
    upstream: plan.kind,
    isStandIn: plan.kind === 'demo' && plan.notice !== undefined,
    newKey: first && { secret: first.secret, file: first.path },
  }
}

async function startUpstream(
  { plan, config }: Prepared,
  running: Running,
): Promise<Outcome<{ url: string }>> {
  if (plan.kind === 'given') return given(config.upstream.url)
  if (plan.kind === 'demo' && plan.notice !== undefined) tell(plan.notice)
  const { child, name, ready } =
    plan.kind === 'demo' ? startDemo(process.env) : startLlamaSwap(plan, process.env)
  running.child = child
  const outcome = await ready
  if (!outcome.ok) return outcome
  void child.ended.then((how) =>
    giveUp(running, failed(`${name} ${how}, so the gate stops, too.${lastWords(child)}`)),
  )
  return outcome
}

/** Whoever runs it may start it later, so the gate starts all the same. */
async function given(upstreamUrl: string): Promise<Outcome<{ url: string }>> {
  const url = withoutSlash(upstreamUrl)
  if (!(await answers(url))) tell(`nothing answers on ${url} now; requests will fail until it does`)
  return { ok: true, url }
}

async function startListening(
  config: GateConfig,
  running: Running,
): Promise<Outcome<{ url: string }>> {
  try {
    const gate = await startGate(await loadRuntime(), config, tell)
    running.gate = gate
    return { ok: true, url: gate.url }
  } catch (error) {
    return failed(explainListenError(error, config.listen))
  }
}

function withUpstream(config: GateConfig, url: string): GateConfig {
  return { ...config, upstream: { ...config.upstream, url } }
}

/** First the gate, so that running answers can finish; then what makes them. */
function end(running: Running, graceMs: number): Promise<void> {
  running.ending ??= (async () => {
    const { gate, child } = running
    if (gate) {
      tell(`stopping; running answers get ${graceMs / 1000} s (a second Ctrl-C stops at once)`)
      await gate.stop(graceMs)
    }
    await child?.stop(CHILD_GRACE_MS)
  })()
  return running.ending
}

async function giveUp(running: Running, failure: Failure): Promise<void> {
  // Something ended because we asked it to: that is no failure.
  if (running.ending) return
  running.exitCode = failure.exitCode
  tell(failure.message)
  await end(running, FAILED_GRACE_MS)
  process.exit(failure.exitCode)
}
