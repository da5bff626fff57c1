#!/usr/bin/env node
import { CommandError, findVerb, isHelp, meant, parseWords, UsageError, type Verbs } from './commands/command.js'
import { commandHelp, overview, usage } from './commands/help.js'
import { name as program, version } from './version.js'

interface Command {
  summary: string
  /** Loads the command's module when the command runs: most need only a part of the service. */
  load: () => Promise<{ verbs: Verbs }>
}

const commands: Record<string, Command> = {
  serve: { summary: 'run the service (the default)', load: () => import('./commands/serve.js') },
  mcp: { summary: 'serve MCP over stdio, as the agent AGENT_ID', load: () => import('./commands/mcp.js') },
  connect: {
    summary: 'connect the coding agents of this machine to a server',
    load: () => import('./commands/connect.js')
  },
  doctor: { summary: 'find out why a server cannot be used from here', load: () => import('./commands/doctor.js') },
  hook: { summary: 'print new messages for a coding agent', load: () => import('./commands/hook.js') },
  migrate: { summary: 'create or update the database tables', load: () => import('./commands/migrate.js') },
  keys: { summary: 'create, list and revoke the API keys of agents', load: () => import('./commands/keys.js') },
  audit: { summary: 'check the audit log against its chain, or export it', load: () => import('./commands/audit.js') },
  backup: { summary: 'write a backup, check it, and restore it', load: () => import('./commands/backup.js') },
  session: {
    summary: 'list and show the sessions of a server; export one as a file, or import one',
    load: () => import('./commands/session.js')
  },
  message: { summary: 'write a message into a session', load: () => import('./commands/message.js') },
  tail: {
    summary: 'show what happens in a session, or in all, as it happens',
    load: () => import('./commands/tail.js')
  },
  search: { summary: 'find messages', load: () => import('./commands/search.js') },
  task: { summary: 'list tasks, claim one, complete one', load: () => import('./commands/task.js') },
  inbox: {
    summary: 'print what was written to an agent, for a model to read',
    load: () => import('./commands/inbox.js')
  },
  retention: {
    summary: 'say how many days messages, closed sessions and audit rows are kept',
    load: () => import('./commands/retention.js')
  },
  'erase-agent': {
    summary: 'erase everything that an agent wrote and stored',
    load: () => import('./commands/erase-agent.js')
  },
  openapi: { summary: 'print the OpenAPI document', load: () => import('./commands/openapi.js') }
}

// `... | head` closes the pipe early, which is not an error, unless the command has said so.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit()
})

try {
  await main(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof UsageError || error instanceof CommandError ? error.message : await explained(error))
  process.exit(error instanceof UsageError ? 2 : 1)
}

/** Loaded only when it is needed: it knows the faults of every part of the service. */
async function explained(error: unknown): Promise<string> {
  const { explain } = await import('./commands/failure.js')
  return explain(error)
}

async function main(words: string[]): Promise<void> {
  const [first = 'serve', ...rest] = words
  if (first === '--version' || first === '-v') {
    console.log(version)
  } else if (isHelp(first) || (first === 'help' && rest[0] === undefined)) {
    console.log(overview(commands))
  } else if (first === 'help') {
    // `help keys create` is `keys create --help`.
    await runCommand(rest[0] as string, [...rest.slice(1), '--help'])
  } else if (first.startsWith('-')) {
    await runCommand('serve', words)
  } else {
    await runCommand(first, rest)
  }
}

async function runCommand(command: string, words: string[]): Promise<void> {
  const found = Object.hasOwn(commands, command) ? commands[command] : undefined
  const names = Object.keys(commands)
  if (found === undefined)
    throw new UsageError(
      `There is no command '${command}'.${meant(command, names)} The commands are: ${names.join(', ')}.`
    )
  const { verbs } = await found.load()
  if (words.some(isHelp)) {
    console.log(commandHelp(command, found.summary, verbs, words))
    return
  }
  let shown = Object.entries(verbs)
  try {
    const { name, args } = findVerb(verbs, words)
    const verb = verbs[name] as Verbs[string]
    shown = [[name, verb]]
    await verb.run(...parseWords(verb, args))
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const lines = shown.map(([name, verb]) => usage(command, name, verb))
    throw new UsageError([error.message, ...lines, `"${program} ${command} --help" explains it.`].join('\n'))
  }
}
