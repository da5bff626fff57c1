import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Permission } from '../kernel/agent.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Where and how a client gets a token; absent without an outside issuer. */
    protectedResource?: ProtectedResource
  }
}

export interface ProtectedResource {
  /** The address of the metadata, at which this client can read it; undefined if its Host header is malformed. */
  metadataUrl: (request: FastifyRequest) => string | undefined
  /** The scopes that a client should ask the issuer for; undefined if other claims than scopes give permissions. */
  scopes: readonly string[] | undefined
  /** A scope that gives the permission; undefined if none does. */
  scopeFor: (permission: string) => string | undefined
}

export interface ProtectedResourceOptions {
  /** The outside issuer. */
  oidc_issuer: string | undefined
  oidc_permissions_claim: string
  oidc_permissions_map: ReadonlyMap<string, Permission>
  /** The address of this server for its clients; undefined: as each client names it in its Host header. */
  public_url: string | undefined
}

const WELL_KNOWN = '/.well-known/oauth-protected-resource'
const MCP = '/mcp'
/** Claims that hold scopes. A client can ask for a scope, but not for a role. */
const SCOPE_CLAIMS = ['scope', 'scp']
const HOST = /^([\w.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i

/**
 * Serves OAuth 2.0 Protected Resource Metadata (RFC 9728), in which an MCP client finds the issuer. Without an issuer
 * it serves nothing, because a client would begin a flow that leads nowhere.
 */
export function registerProtectedResource(
  app: FastifyInstance,
  name: string,
  { oidc_issuer, oidc_permissions_claim, oidc_permissions_map: permissionMap, public_url }: ProtectedResourceOptions
): void {
  if (oidc_issuer === undefined) return
  const byScope = SCOPE_CLAIMS.includes(oidc_permissions_claim)
  // Clients ask for all of these at first. Few callers may administrate, so a client asks for that scope when it needs
  // it.
  const scopes = byScope
    ? [...permissionMap].filter(([, permission]) => permission !== 'admin').map(([scope]) => scope)
    : undefined
  const baseOf = (request: FastifyRequest) =>
    public_url ?? (HOST.test(request.host) ? `${request.protocol}://${request.host.toLowerCase()}` : undefined)

  app.decorate('protectedResource', {
    scopes,
    metadataUrl(request) {
      const base = baseOf(request)
      const slash = pathOf(request) === `${MCP}/` ? '/' : ''
      return base === undefined ? undefined : `${base}${WELL_KNOWN}${MCP}${slash}`
    },
    scopeFor: permission => (byScope ? [...permissionMap].find(([, mapped]) => mapped === permission)?.[0] : undefined)
  } satisfies ProtectedResource)

  for (const url of [WELL_KNOWN, `${WELL_KNOWN}${MCP}`]) {
    app.get(url, async (request, reply) => {
      const base = baseOf(request)
      if (base === undefined) return reply.callNotFound()
      return reply.type('application/json; charset=utf-8').send(
        JSON.stringify({
          // Clients compare it with the address they use, letter by letter.
          resource: `${base}${MCP}${pathOf(request).endsWith(`${MCP}/`) ? '/' : ''}`,
          authorization_servers: [oidc_issuer],
          ...(scopes !== undefined && { scopes_supported: scopes }),
          bearer_methods_supported: ['header'],
          resource_name: name
        })
      )
    })
  }
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?', 1)[0] as string
}
