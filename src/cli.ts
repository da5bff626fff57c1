#!/usr/bin/env node
import { ConfigError } from './config.js'
import { EmbeddedError } from './db/embedded.js'
import { MigrationError } from './db/migrate.js'
import { version } from './version.js'

/** Each is loaded when it is called: `migrate` needs little of the service. */
const commands: Record<string, { load: () => Promise<(args: string[]) => Promise<void>>, help: string }> = {
  serve: { load: async () => (await import('./commands/serve.js')).serve, help: 'run the service (the default)' },
  mcp: { load: async () => (await import('./commands/mcp.js')).mcp, help: 'serve MCP over stdio, as the agent AGENT_ID' },
  migrate: { load: async () => (await import('./commands/migrate.js')).migrate, help: 'up | down | status: the database\'s tables' },
  keys: { load: async () => (await import('./commands/keys.js')).keys, help: 'create | list | revoke: API keys of agents' },
  audit: { load: async () => (await import('./commands/audit.js')).audit, help: 'verify | export: whether the audit log is as it was written; all of it as lines of JSON' },
  session: { load: async () => (await import('./commands/session.js')).session, help: 'export <session_id> | import <file>: a session as lines of JSON' },
  retention: { load: async () => (await import('./commands/retention.js')).retention, help: '[audit] show | set <days> | default: how long things are kept, or audit rows' },
  'erase-agent': { load: async () => (await import('./commands/erase-agent.js')).eraseAgent, help: '<agent_id>: what an agent has left goes' },
  openapi: { load: async () => (await import('./commands/openapi.js')).openapi, help: 'print the OpenAPI document' }
}

// `... | head` closes the pipe early; that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => { if (error.code === 'EPIPE') process.exit(0) })

const [command = 'serve', ...args] = process.argv.slice(2)

if (command === '--version' || command === '-v') {
  console.log(version)
} else if (command === 'help' || command === '--help' || command === '-h') {
  console.log(`shared-context-server ${version}\n\n${Object.entries(commands).map(([name, { help }]) => `  ${name.padEnd(13)}${help}`).join('\n')}\n\nIt is configured by environment variables; README.md lists them.`)
} else if (!Object.hasOwn(commands, command)) {
  console.error(`There is no command '${command}'. The commands are: ${Object.keys(commands).join(', ')}.`)
  process.exitCode = 2
} else {
  try {
    const run = await (commands[command] as (typeof commands)[string]).load()
    await run(args)
  } catch (error) {
    // What an operator can mend is a sentence; anything else is a fault of ours and shows where.
    const known = error instanceof ConfigError || error instanceof EmbeddedError || error instanceof MigrationError
    console.error(known ? (error as Error).message : error)
    process.exit(1)
  }
}
