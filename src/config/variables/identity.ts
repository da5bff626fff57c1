import { variable } from '../variable.js'
import { anyText, flag, list, origin, permissions, secureUrl, wholeNumber } from '../values.js'

/** Whom the service trusts: its tokens, an OpenID Connect issuer, and its public address. */
export const identityVariables = {
  jwt_expires_in: variable('JWT_EXPIRES_IN', 'Lifetime of a token, in seconds', wholeNumber(1, 31_536_000), '86400'),
  oidc_issuer: variable(
    'OIDC_ISSUER',
    'Take tokens of this issuer too, such as https://login.my-company.org. ' +
      'The service finds it by its OpenID Connect or OAuth metadata (docs/tokens.md)',
    secureUrl,
    undefined,
    { default_note: 'none' }
  ),
  oidc_audience: variable('OIDC_AUDIENCE', 'Accepted audiences of its tokens, separated by commas', list, undefined, {
    default_note: 'PUBLIC_URL/mcp'
  }),
  oidc_agent_id_claim: variable(
    'OIDC_AGENT_ID_CLAIM',
    'The claim that holds the agent_id; a path such as `a.b` for a claim inside a claim',
    anyText,
    'sub'
  ),
  oidc_agent_type_claim: variable(
    'OIDC_AGENT_TYPE_CLAIM',
    'The claim that holds the agent_type; an agent whose token lacks it has the type `oidc`',
    anyText,
    'agent_type'
  ),
  oidc_permissions_claim: variable(
    'OIDC_PERMISSIONS_CLAIM',
    'The claim that holds permissions: words separated by spaces, or a list of strings',
    anyText,
    'scope'
  ),
  oidc_permissions_map: variable(
    'OIDC_PERMISSIONS_MAP',
    'Which value of that claim grants which permission, as scope=permission, separated by commas. ' +
      'A value that is not listed grants nothing beyond read',
    permissions,
    'read=read,write=write'
  ),
  oidc_workspace_claim: variable(
    'OIDC_WORKSPACE_CLAIM',
    'The claim that holds the workspace; an agent whose token lacks it is in the workspace `default`',
    anyText,
    'workspace'
  ),
  public_url: variable(
    'PUBLIC_URL',
    'The address by which clients reach the service, such as https://context.my-company.org. ' +
      'The service tells it to OAuth clients',
    origin,
    undefined,
    { default_note: 'what the Host header says' }
  ),
  auth_enabled: variable(
    'AUTH_ENABLED',
    'false: callers without credentials may read and write. For a laptop; refused with NODE_ENV=production',
    flag,
    'true'
  )
}
