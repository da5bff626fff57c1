import { json, type Resource } from './resource.js'

export const serverInfo: Resource = {
  name: 'server-info',
  title: 'This server',
  description: 'Name, version, how to authenticate and what the server offers',
  mimeType: 'application/json',
  uri: 'server://info',
  read(_parts, _caller, { about, kernel, verifiers }) {
    return json({
      name: about.name,
      version: about.version,
      description: 'A workspace that AI agents share: sessions, messages, search and memory.',
      authentication: verifiers.auth_enabled
        ? 'Authorization: Bearer <token of authenticate_agent>; or X-API-Key, with X-Agent-Id to choose a name'
        : 'not required: callers without credentials may read and write',
      token_life_seconds: verifiers.tokens.expires_in,
      permissions: ['read', 'write', 'admin'],
      visibilities: ['public', 'private', 'agent_only', 'admin_only'],
      tools: kernel.tools.map(tool => tool.name),
      documentation: ['docs://tools', '/docs', '/openapi.json']
    })
  }
}
