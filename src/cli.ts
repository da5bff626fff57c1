#!/usr/bin/env node
import { ConfigError } from './config.js'
import { EmbeddedError } from './db/embedded.js'
import { MigrationError } from './db/migrate.js'
import { version } from './version.js'

interface Command { run: (args: string[]) => Promise<void>, USAGE: string }

/** Each is loaded when it is called: `migrate` needs little of the service. */
const commands: Record<string, { load: () => Promise<Command>, help: string }> = {
  serve: { load: () => import('./commands/serve.js').then(({ serve: run, USAGE }) => ({ run, USAGE })), help: 'run the service (the default)' },
  mcp: { load: () => import('./commands/mcp.js').then(({ mcp: run, USAGE }) => ({ run, USAGE })), help: 'serve MCP over stdio, as the agent AGENT_ID' },
  migrate: { load: () => import('./commands/migrate.js').then(({ migrate: run, USAGE }) => ({ run, USAGE })), help: 'up | down | status: the database\'s tables' },
  keys: { load: () => import('./commands/keys.js').then(({ keys: run, USAGE }) => ({ run, USAGE })), help: 'create | list | revoke: API keys of agents' },
  audit: { load: () => import('./commands/audit.js').then(({ audit: run, USAGE }) => ({ run, USAGE })), help: 'verify | export: whether the audit log is as it was written; all of it as lines of JSON' },
  session: { load: () => import('./commands/session.js').then(({ session: run, USAGE }) => ({ run, USAGE })), help: 'export <session_id> | import <file>: a session as lines of JSON' },
  retention: { load: () => import('./commands/retention.js').then(({ retention: run, USAGE }) => ({ run, USAGE })), help: '[audit] show | set <days> | default: how long things are kept, or audit rows' },
  'erase-agent': { load: () => import('./commands/erase-agent.js').then(({ eraseAgent: run, USAGE }) => ({ run, USAGE })), help: '<agent_id>: what an agent has left goes' },
  openapi: { load: () => import('./commands/openapi.js').then(({ openapi: run, USAGE }) => ({ run, USAGE })), help: 'print the OpenAPI document' }
}

// `... | head` closes the pipe early; that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => { if (error.code === 'EPIPE') process.exit(0) })

const [command = 'serve', ...args] = process.argv.slice(2)

if (command === '--version' || command === '-v') {
  console.log(version)
} else if (command === 'help' || command === '--help' || command === '-h') {
  console.log(`shared-context-server ${version}\n\n${Object.entries(commands).map(([name, { help }]) => `  ${name.padEnd(13)}${help}`).join('\n')}\n\n<command> --help says how each is called. It is configured by environment variables; docs/configuration.md lists them.`)
} else if (!Object.hasOwn(commands, command)) {
  console.error(`There is no command '${command}'. The commands are: ${Object.keys(commands).join(', ')}.`)
  process.exitCode = 2
} else {
  try {
    const { run, USAGE } = await (commands[command] as (typeof commands)[string]).load()
    if (args.includes('--help') || args.includes('-h')) console.log(USAGE)
    else await run(args)
  } catch (error) {
    // What an operator can mend is a sentence; anything else is a fault of ours and shows where.
    const known = error instanceof ConfigError || error instanceof EmbeddedError || error instanceof MigrationError
    console.error(known ? (error as Error).message : error)
    process.exit(1)
  }
}
