import type { FastifyInstance } from 'fastify'
import { AppError } from '../kernel/errors.js'
import { sendFailure } from './failures.js'
import { isProbe } from './probes.js'

export interface HostRules {
  /** Host names requests may be sent to; undefined: any. */
  allowed_hosts: string[] | undefined
  /** Origins besides the server's own; `*`: any. */
  cors_origins: string[]
}

/**
 * Protects against DNS rebinding. A page whose host name an attacker has pointed at this server is refused by its Host
 * header, and a page of another origin by its Origin header.
 */
export function registerHostCheck(app: FastifyInstance, rules: HostRules): void {
  const hosts = rules.allowed_hosts && new Set(rules.allowed_hosts.map(host => host.toLowerCase()))
  const origins = new Set(rules.cors_origins)
  const count = async (address: string) => app.limits.request(address, undefined)
  app.addHook('onRequest', (request, reply, done) => {
    if (isProbe(request)) {
      done()
      return
    }
    const host = request.host.toLowerCase()
    const { origin } = request.headers
    let refusal: AppError | undefined
    if (hosts !== undefined && !hosts.has(host.replace(/:\d+$/, '')) && !hosts.has(host))
      refusal = new AppError('PERMISSION_DENIED', 'This server is not to be called by that host name.', {
        context: { header: 'Host' },
        suggestions: [
          'Call the server by a name in its ALLOWED_HOSTS',
          'The operator can add the name to ALLOWED_HOSTS'
        ]
      })
    else if (origin !== undefined && !origins.has('*') && !origins.has(origin) && !isSameOrigin(origin, host))
      refusal = new AppError('PERMISSION_DENIED', 'Pages of that origin may not call this server.', {
        context: { header: 'Origin' },
        suggestions: ['The operator can add the origin to CORS_ORIGINS']
      })
    if (refusal === undefined) {
      done()
      return
    }
    // Refused requests count too: otherwise an address could send any number of them.
    count(request.ip).then(() => sendFailure(reply, refusal), done)
  })
}

function isSameOrigin(origin: string, own_host: string): boolean {
  if (!/^https?:\/\//.test(origin) || !URL.canParse(origin)) return false
  const url = new URL(origin)
  return url.origin === origin && url.host === own_host
}
