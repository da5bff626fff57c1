import type { FastifyInstance, FastifyRequest } from 'fastify'
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
  app.addHook('onRequest', (request, reply, done) => {
    if (isProbe(request)) {
      done()
      return
    }
    if (hosts !== undefined && !hosts.has(hostName(request)) && !hosts.has(request.host.toLowerCase())) {
      void sendFailure(
        reply,
        new AppError('PERMISSION_DENIED', 'This server is not to be called by that host name.', {
          context: { header: 'Host' },
          suggestions: [
            'Call the server by a name in its ALLOWED_HOSTS',
            'The operator can add the name to ALLOWED_HOSTS'
          ]
        })
      )
      return
    }
    const { origin } = request.headers
    if (origin !== undefined && !origins.has('*') && !origins.has(origin) && !isSameOrigin(origin, request)) {
      void sendFailure(
        reply,
        new AppError('PERMISSION_DENIED', 'Pages of that origin may not call this server.', {
          context: { header: 'Origin' },
          suggestions: ['The operator can add the origin to CORS_ORIGINS']
        })
      )
      return
    }
    done()
  })
}

function hostName(request: FastifyRequest): string {
  return request.host.toLowerCase().replace(/:\d+$/, '')
}

function isSameOrigin(origin: string, request: FastifyRequest): boolean {
  if (!/^https?:\/\//.test(origin) || !URL.canParse(origin)) return false
  const url = new URL(origin)
  return url.origin === origin && url.host === request.host.toLowerCase()
}
