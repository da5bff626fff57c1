import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Permission } from '../kernel/agent.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Where and how a client may get a token; absent where there is no issuer to send it to. */
    protectedResource?: ProtectedResource
  }
}

export interface ProtectedResource {
  /** The address of the metadata, as the client of this request can reach it; undefined where its Host is not one. */
  metadataUrl: (request: FastifyRequest) => string | undefined
  /** The scopes that a client should ask for; undefined where permissions do not come from scopes. */
  scopes: readonly string[] | undefined
  /** A scope that means the permission. */
  scopeFor: (permission: string) => string | undefined
}

export interface ProtectedResourceOptions {
  /** The outside issuer. */
  oidc_issuer: string | undefined
  oidc_permissions_claim: string
  oidc_permissions_map: ReadonlyMap<string, Permission>
  /** Undefined: what the Host header says, as far as it is allowed. */
  public_url: string | undefined
}

const WELL_KNOWN = '/.well-known/oauth-protected-resource'
const MCP = '/mcp'
/** Claims that hold scopes, which a client can ask for; roles it cannot. */
const SCOPE_CLAIMS = ['scope', 'scp']
const HOST = /^([\w.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i

/**
 * OAuth 2.0 Protected Resource Metadata (RFC 9728), by which an MCP client finds the issuer. Only where there is one:
 * without it nothing is served here and no challenge names an address, since a client would begin a flow that leads
 * nowhere.
 */
export function registerProtectedResource(
  app: FastifyInstance,
  name: string,
  { oidc_issuer, oidc_permissions_claim, oidc_permissions_map: permissionMap, public_url }: ProtectedResourceOptions
): void {
  if (oidc_issuer === undefined) return
  const byScope = SCOPE_CLAIMS.includes(oidc_permissions_claim)
  // What everybody's client asks for at first: not administration.
  const scopes = byScope
    ? [...permissionMap].filter(([, permission]) => permission !== 'admin').map(([scope]) => scope)
    : undefined
  const baseOf = (request: FastifyRequest) =>
    public_url ?? (HOST.test(request.host) ? `${request.protocol}://${request.host.toLowerCase()}` : undefined)

  app.decorate('protectedResource', {
    scopes,
    metadataUrl(request) {
      const base = baseOf(request)
      return base === undefined ? undefined : `${base}${WELL_KNOWN}${MCP}`
    },
    scopeFor: permission => (byScope ? [...permissionMap].find(([, mapped]) => mapped === permission)?.[0] : undefined)
  } satisfies ProtectedResource)

  for (const url of [WELL_KNOWN, `${WELL_KNOWN}${MCP}`]) {
    app.get(url, async (request, reply) => {
      const base = baseOf(request)
      if (base === undefined) return reply.callNotFound()
      return reply
        .header('cache-control', 'no-store')
        .type('application/json; charset=utf-8')
        .send(
          JSON.stringify({
            resource: `${base}${MCP}`,
            authorization_servers: [oidc_issuer],
            ...(scopes !== undefined && { scopes_supported: scopes }),
            bearer_methods_supported: ['header'],
            resource_name: name
          })
        )
    })
  }
}
