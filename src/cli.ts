#!/usr/bin/env node
import { type Described, helpOf, overview } from './commands/help.js'
import { ConfigError } from './config/config.js'
import { EmbeddedError } from './postgres/embedded/index.js'
import { MigrationError } from './postgres/migrate.js'
import { version } from './version.js'

interface Command {
  run: (args: string[]) => Promise<void>
  USAGE: string
}

/** Each is loaded when it is called: `migrate` needs little of the service. */
const commands: Record<string, Described & { load: () => Promise<Command> }> = {
  serve: {
    load: () => import('./commands/serve.js').then(({ serve: run, USAGE }) => ({ run, USAGE })),
    does: 'run the service (the default)',
    isConfigured: true
  },
  mcp: {
    load: () => import('./commands/mcp.js').then(({ mcp: run, USAGE }) => ({ run, USAGE })),
    does: 'serve MCP over stdio, as the agent AGENT_ID',
    isConfigured: true
  },
  migrate: {
    load: () => import('./commands/migrate.js').then(({ migrate: run, USAGE }) => ({ run, USAGE })),
    takes: 'up | down | status',
    does: "the database's tables"
  },
  keys: {
    load: () => import('./commands/keys.js').then(({ keys: run, USAGE }) => ({ run, USAGE })),
    takes: 'create | list | revoke',
    does: 'API keys of agents'
  },
  audit: {
    load: () => import('./commands/audit.js').then(({ audit: run, USAGE }) => ({ run, USAGE })),
    takes: 'verify | export',
    does: 'whether the audit log is as it was written; all of it as lines of JSON'
  },
  session: {
    load: () => import('./commands/session.js').then(({ session: run, USAGE }) => ({ run, USAGE })),
    takes: 'export <session_id> | import <file>',
    does: 'a session as lines of JSON'
  },
  retention: {
    load: () => import('./commands/retention.js').then(({ retention: run, USAGE }) => ({ run, USAGE })),
    takes: '[audit] show | set <days> | default',
    does: 'how long things are kept, or audit rows'
  },
  'erase-agent': {
    load: () => import('./commands/erase-agent.js').then(({ eraseAgent: run, USAGE }) => ({ run, USAGE })),
    takes: '<agent_id>',
    does: 'what an agent has left goes'
  },
  openapi: {
    load: () => import('./commands/openapi.js').then(({ openapi: run, USAGE }) => ({ run, USAGE })),
    does: 'print the OpenAPI document'
  }
}

// `... | head` closes the pipe early; that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
})

const [first = 'serve', ...rest] = process.argv.slice(2)
const isHelp = (word: string | undefined) => word === '--help' || word === '-h'
// `help serve` is `serve --help`.
const [command, args] = first === 'help' && rest[0] !== undefined ? [rest[0], ['--help']] : [first, rest]

if (command === '--version' || command === '-v') {
  console.log(version)
} else if (command === 'help' || isHelp(command)) {
  console.log(overview(commands))
} else {
  const found = Object.hasOwn(commands, command) ? commands[command] : undefined
  if (found === undefined) {
    console.error(`There is no command '${command}'. The commands are: ${Object.keys(commands).join(', ')}.`)
    process.exitCode = 2
  } else {
    await runCommand(command, found)
  }
}

async function runCommand(name: string, described: Described & { load: () => Promise<Command> }): Promise<void> {
  try {
    const { run, USAGE } = await described.load()
    if (args.some(isHelp)) console.log(helpOf(name, described, USAGE))
    else await run(args)
  } catch (error) {
    // What an operator can mend is a sentence; anything else is a fault of ours and shows where.
    const known = error instanceof ConfigError || error instanceof EmbeddedError || error instanceof MigrationError
    console.error(known ? error.message : error)
    process.exit(1)
  }
}
