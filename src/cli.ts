#!/usr/bin/env node
import { type CommandHelp, commandHelp, overview } from './commands/help.js'
import { ConfigError } from './config/config.js'
import { EmbeddedError } from './postgres/embedded/index.js'
import { MigrationError } from './postgres/migrate.js'
import { version } from './version.js'

interface Command {
  run: (args: string[]) => Promise<void>
  USAGE: string
}

/** Each command's module is loaded when the command runs: most need only a part of the service. */
const commands: Record<string, CommandHelp & { load: () => Promise<Command> }> = {
  serve: {
    load: () => import('./commands/serve.js').then(({ serve: run, USAGE }) => ({ run, USAGE })),
    summary: 'run the service (the default)',
    listsVariables: true
  },
  mcp: {
    load: () => import('./commands/mcp.js').then(({ mcp: run, USAGE }) => ({ run, USAGE })),
    summary: 'serve MCP over stdio, as the agent AGENT_ID',
    listsVariables: true
  },
  migrate: {
    load: () => import('./commands/migrate.js').then(({ migrate: run, USAGE }) => ({ run, USAGE })),
    parameters: 'up | down | status',
    summary: 'create or update the database tables'
  },
  keys: {
    load: () => import('./commands/keys.js').then(({ keys: run, USAGE }) => ({ run, USAGE })),
    parameters: 'create | list | revoke',
    summary: 'manage the API keys of agents'
  },
  audit: {
    load: () => import('./commands/audit.js').then(({ audit: run, USAGE }) => ({ run, USAGE })),
    parameters: 'verify | export',
    summary: 'check the audit log against its chain; print it as lines of JSON'
  },
  session: {
    load: () => import('./commands/session.js').then(({ session: run, USAGE }) => ({ run, USAGE })),
    parameters: 'export <session_id> | import <file>',
    summary: 'move a session as lines of JSON'
  },
  retention: {
    load: () => import('./commands/retention.js').then(({ retention: run, USAGE }) => ({ run, USAGE })),
    parameters: '[audit] show | set <days> | default',
    summary: 'how many days messages, closed sessions and audit rows are kept'
  },
  'erase-agent': {
    load: () => import('./commands/erase-agent.js').then(({ eraseAgent: run, USAGE }) => ({ run, USAGE })),
    parameters: '<agent_id>',
    summary: 'erase everything an agent wrote and stored'
  },
  openapi: {
    load: () => import('./commands/openapi.js').then(({ openapi: run, USAGE }) => ({ run, USAGE })),
    summary: 'print the OpenAPI document'
  }
}

// `... | head` closes the pipe early, which is not an error.
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

async function runCommand(name: string, described: CommandHelp & { load: () => Promise<Command> }): Promise<void> {
  try {
    const { run, USAGE } = await described.load()
    if (args.some(isHelp)) console.log(commandHelp(name, described, USAGE))
    else await run(args)
  } catch (error) {
    // Errors that the operator can fix are one sentence. Anything else is a bug, so print its stack.
    const known = error instanceof ConfigError || error instanceof EmbeddedError || error instanceof MigrationError
    console.error(known ? error.message : error)
    process.exit(1)
  }
}
