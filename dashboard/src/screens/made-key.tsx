import { addressOf } from '../api/base.js'
import type { Output } from '../api/catalogue.js'
import { Dialog } from '../parts/dialog.js'

/** A new key, shown this once, with a line for each client that it connects. */
export function MadeKey({ made, onClose }: { made: Output<'create_api_key'>; onClose: () => void }) {
  const { api_key, agent_id } = made
  const mcp = addressOf('mcp')
  // A key for many names does not say which one its bearer has.
  const name = agent_id.endsWith('*') ? `${agent_id.slice(0, -1)}1` : agent_id
  const json = JSON.stringify(
    { mcpServers: { 'shared-context': { url: mcp, headers: { 'X-API-Key': api_key, 'X-Agent-Id': name } } } },
    null,
    2
  )
  // A name may hold whatever a shell would read as a command of its own.
  const headers = `--header ${quoted(`X-API-Key: ${api_key}`)} --header ${quoted(`X-Agent-Id: ${name}`)}`
  const clients: ReadonlyArray<readonly [string, string]> = [
    ['Claude Code', `claude mcp add --transport http shared-context ${mcp} ${headers}`],
    ['Gemini CLI', `gemini mcp add --transport http shared-context ${mcp} ${headers}`],
    [
      'Codex, in ~/.codex/config.toml',
      `[mcp_servers.shared-context]\nurl = "${mcp}"\n` +
        `http_headers = { "X-API-Key" = "${api_key}", "X-Agent-Id" = ${JSON.stringify(name)} }`
    ],
    ['Cursor and others, in mcp.json', json],
    ['curl', `curl -s ${addressOf('mcp/tool/list_sessions')} -X POST ${headers}`]
  ]
  return (
    <Dialog title="The key is shown this once" onClose={onClose} wide>
      <pre class="code made-key" tabIndex={0}>
        {api_key}
      </pre>
      {clients.map(([client, line]) => (
        <section key={client}>
          <h3>{client}</h3>
          <pre class="code" tabIndex={0}>
            {line}
          </pre>
        </section>
      ))}
    </Dialog>
  )
}

/** A word for a shell: in double quotes as one is used to, in single ones where those would not hold. */
function quoted(text: string): string {
  return /["$`\\!]/.test(text) ? `'${text.replaceAll("'", "'\\''")}'` : `"${text}"`
}
