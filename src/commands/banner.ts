import { join } from 'node:path'
import { SECRETS_FILE } from './local-secrets.js'
import type { CommandContext } from './open.js'
import { commandLine } from '../version.js'
import { urlOption } from './server-address.js'

/**
 * The text that `serve` prints once the service is ready. It shows a generated key, never a configured one.
 * @param code signs one person in once, by a link
 */
export function banner(url: string, { config, embedded }: CommandContext, code: string | undefined): string {
  const generated = config.shared_api_key && embedded !== undefined && process.env.API_KEY?.trim() !== config.api_key
  const key = generated ? (config.api_key as string) : config.shared_api_key ? '$API_KEY' : "<an agent's key>"
  const lines = [
    '',
    `shared-context-server is ready at ${url}`,
    '',
    `  REST      ${url}/mcp/tool/<name>     try it: ${url}/docs`,
    `  MCP       ${url}/mcp`,
    ...(config.dashboard ? [`  page      ${url}/app/${code === undefined ? '' : `#sign-in=${code}`}`] : []),
    ...(code === undefined ? [] : ['            (the link signs you in once, within 5 minutes)']),
    embedded !== undefined
      ? `  data      ${embedded.dataDir} (embedded PostgreSQL)`
      : '  data      the PostgreSQL of DATABASE_URL',
    ...(embedded?.notices ?? []).map(notice => `            ${notice}`),
    generated
      ? `  API key   ${key}\n            ` +
        `(made on the first run; it and the admin key are in ${join(embedded.dataDir, SECRETS_FILE)})`
      : config.shared_api_key
        ? '  API key   the one in API_KEY'
        : '  API keys  one for each agent; make one with the command ' +
          'keys create --agent <name> --type <type> (docs/api-keys.md)',
    '',
    'First call:',
    `  curl -s ${url}/mcp/tool/create_session -H "X-API-Key: ${key}" -H 'X-Agent-Id: me' ` +
      `-H 'Content-Type: application/json' -d '{"purpose":"Hello"}'`,
    '',
    ...(embedded === undefined
      ? []
      : ['Connect the coding agents of this machine:', `  ${commandLine} connect${urlOption(url)}`, '']),
    'Connect Claude Code by hand:',
    `  claude mcp add --transport http shared-context ${url}/mcp ` +
      `--header "X-API-Key: ${key}" --header "X-Agent-Id: claude-code"`,
    ''
  ]
  return lines.join('\n')
}
