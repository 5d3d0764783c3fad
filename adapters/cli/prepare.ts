import { parseConfig, type ConfigResult } from '../../src/config/parse-config.ts'
import type { GateConfig } from '../../src/config/schema.ts'
import { loadConfig } from '../process/load-config.ts'
import { sha256 } from '../process/sha256.ts'
import { explainListenError } from '../process/start-gate.ts'
import { chooseUpstream, type UpstreamPlan } from './choose-upstream.ts'
import { planFirstConfig, type FirstConfig } from './first-config.ts'
import { failed, misused, tell, type Failure, type Outcome } from './outcome.ts'
import { listenError } from './port.ts'

/** All that is decided before anything is started. */
export type Prepared = {
  config: GateConfig
  first: FirstConfig | undefined
  plan: UpstreamPlan
}

/** Reads the configuration and finds every fault that can be found without starting a slow program. */
export async function prepare(
  demo: boolean,
  env: NodeJS.ProcessEnv,
): Promise<Outcome<{ prepared: Prepared }>> {
  const planned = await planFirstConfig(env)
  if (!planned.ok) return planned
  const { first } = planned
  const loaded = await load(first, env)
  if (!loaded.ok) return misused(loaded.message)
  loaded.warnings.forEach(tell)
  const { config } = loaded
  const chosen = chooseUpstream(config, { demo, env })
  if (!chosen.ok) return chosen
  const { plan } = chosen
  const taken = await takenPort(config, plan)
  return taken ?? { ok: true, prepared: { config, first, plan } }
}

function load(first: FirstConfig | undefined, env: NodeJS.ProcessEnv): Promise<ConfigResult> {
  if (!first) return loadConfig(env)
  const file = { name: first.path, text: first.text }
  return parseConfig({ file, env, readFile: undefined }, sha256)
}

async function takenPort(config: GateConfig, plan: UpstreamPlan): Promise<Failure | undefined> {
  const error = await listenError(config.listen)
  if (error) return failed(explainListenError(error, config.listen))
  if (plan.kind !== 'llama-swap') return undefined
  const { host, port } = plan.listen
  if (!(await listenError(plan.listen))) return undefined
  return failed(
    `Port ${port} on ${host}, where llama-swap is to listen, is already in use. To use what runs there, set UPSTREAM_URL=${config.upstream.url}. To start llama-swap on another port, change "upstream.url" in the configuration.`,
  )
}
