import { addressOf } from '../api/base.js'

/** The line that connects a client, for who has none. */
export function ConnectLine() {
  return (
    <>
      <p>An agent comes once it is connected. For Claude Code:</p>
      <pre class="code" tabIndex={0}>
        {`claude mcp add --transport http shared-context ${addressOf('mcp')} \\\n` +
          `  --header "X-API-Key: <key>" --header "X-Agent-Id: claude-code"`}
      </pre>
    </>
  )
}
