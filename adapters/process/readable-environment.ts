/** The variables that this process may read, and the names of those that it asked for in vain. */
export type ReadableEnvironment = {
  env: Readonly<Record<string, string | undefined>>
  denied: ReadonlySet<string>
}

/** An environment in which a variable that Deno was not allowed to read counts as not set. */
export function readableEnvironment(variables: NodeJS.ProcessEnv): ReadableEnvironment {
  const denied = new Set<string>()
  const env = new Proxy<Record<string, string | undefined>>(
    {},
    {
      get(_target, name) {
        if (typeof name !== 'string') return undefined
        try {
          return variables[name]
        } catch {
          denied.add(name)
          return undefined
        }
      },
    },
  )
  return { env, denied }
}
