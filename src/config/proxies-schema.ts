import * as z from 'zod'

/** How a proxy tells the client's address. */
export const PROXY_KINDS = ['cloudflare', 'tailscale', 'x-forwarded-for'] as const

const network = z
  .string()
  .refine(isNetwork, 'must be an address such as "127.0.0.1" or a network such as "10.0.0.0/8"')

function isNetwork(text: string): boolean {
  return [z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()].some((form) => form.safeParse(text).success)
}

/** Proxies whose word about a client's address counts; nobody's without an entry, not even this machine's. */
export const trustedProxies = z
  .array(
    z.strictObject({
      from: z
        .array(network)
        .min(1)
        .describe('Where connections of this proxy come from, for example ["127.0.0.1", "::1"].'),
      kind: z
        .enum(PROXY_KINDS)
        .describe(
          'cloudflare: CF-Connecting-IP, set by Cloudflare. tailscale: X-Forwarded-For as Tailscale serve and Funnel set it. x-forwarded-for: what other proxies append to it.',
        ),
      hops: z
        .int()
        .min(1)
        .max(16)
        .default(1)
        .describe(
          'x-forwarded-for: how many proxies stand behind one another; the address is this many entries from the right.',
        ),
    }),
  )
  .default([])
  .describe(
    "Proxies in front of the gate that tell the client's address. It only stands in logs: no address opens anything.",
  )

export type TrustedProxy = z.output<typeof trustedProxies>[number]
