import { SharedContext, SharedContextError } from '../../clients/typescript/src/index.js'
import { printable } from '../kernel/text.js'
import { CommandError, UsageError } from './command.js'
import { isAddress, type Profile, profilePath, readProfile } from './profile.js'
import { dataDir } from './local-keys.js'
import { runningServer } from './running-server.js'
import { DEFAULT_URL } from './server-address.js'

/** Which server a command calls, and as whom: for the commands that call one as any client does. */

export const CONNECTION = {
  url: { type: 'string', value: '<url>', description: 'the server; default: SHARED_CONTEXT_URL, or of the profile' },
  agent: {
    type: 'string',
    value: '<agent_id>',
    description: 'who calls; default: SHARED_CONTEXT_AGENT_ID, or of the profile'
  },
  profile: { type: 'string', value: '<name>', description: 'server, key and agent by a name of the profile file' }
} as const

export type ConnectionOptions = { [Name in keyof typeof CONNECTION]: string | undefined }

interface Patience {
  /** Milliseconds that one try may take. */
  timeoutMs?: number
  /** How often a call is tried. */
  tries?: number
}

/**
 * Calls the server. What it refuses, and that it cannot be reached, ends the command with a sentence.
 * @throws UsageError, CommandError
 */
export async function withServer<T>(
  options: ConnectionOptions,
  work: (client: SharedContext) => Promise<T>,
  patience: Patience = {}
): Promise<T> {
  const { url, api_key, agent_id, agent_type } = await connectionOf(options)
  const client = new SharedContext({
    url,
    // One call needs no token of its own, and leaves no row about one in the audit log.
    ...(api_key !== undefined && { apiKey: api_key, exchangeKey: false }),
    agentId: agent_id,
    agentType: agent_type,
    ...patience
  })
  try {
    return await work(client)
  } catch (error) {
    throw error instanceof SharedContextError ? new CommandError(sentence(error)) : error
  }
}

/** What to do in a terminal about an error, where the server names tools. */
const ADVICE: Readonly<Record<string, string>> = {
  SESSION_NOT_FOUND: 'The command session list shows the sessions that you may see',
  MESSAGE_NOT_FOUND: 'The command session show shows the messages of a session and their ids',
  TASK_NOT_FOUND: 'The command task list shows the tasks that you may see'
}

function sentence(error: SharedContextError): string {
  const advice =
    error.code === 'AUTHENTICATION_REQUIRED' || error.code === 'INVALID_API_KEY'
      ? [
          'Set SHARED_CONTEXT_API_KEY, and SHARED_CONTEXT_AGENT_ID or --agent unless the key is for one name, ' +
            `or write a profile into ${profilePath()}`
        ]
      : error.code !== undefined && Object.hasOwn(ADVICE, error.code)
        ? [ADVICE[error.code]]
        : error.suggestions
  return printable(`${[error.message, ...advice.map(each => `${each}.`)].join(' ')} (${error.code})`)
}

/**
 * A key goes only to the server that it was given for: one of a profile to the address of the profile, one of the
 * environment to the address of the environment or the command line.
 */
export async function connectionOf({
  url,
  agent,
  profile: named
}: ConnectionOptions): Promise<Partial<Profile> & { url: string }> {
  const { env } = process
  const set = (name: string) => (env[name]?.trim() === '' ? undefined : env[name]?.trim())
  if (named !== undefined && url !== undefined)
    throw new UsageError('--url and --profile exclude each other: the key of a profile is for its own server.')
  const api_key = set('SHARED_CONTEXT_API_KEY')
  const profile =
    named !== undefined
      ? await readProfile(named)
      : api_key === undefined && url === undefined
        ? await readProfile(set('SHARED_CONTEXT_PROFILE'))
        : undefined
  // The key of the environment is not for whatever server runs here.
  const here = api_key === undefined ? await runningServer(dataDir()) : undefined
  const address = url ?? profile?.url ?? set('SHARED_CONTEXT_URL') ?? here ?? DEFAULT_URL
  if (!isAddress(address))
    throw new UsageError(
      `${url === undefined ? 'SHARED_CONTEXT_URL' : '--url'} must be the address of a server, as ${DEFAULT_URL}, ` +
        'without a user or a query.'
    )
  return {
    url: address,
    api_key: profile?.api_key ?? api_key,
    agent_id: agent ?? (named === undefined ? set('SHARED_CONTEXT_AGENT_ID') : undefined) ?? profile?.agent_id,
    agent_type: profile?.agent_type ?? set('SHARED_CONTEXT_AGENT_TYPE')
  }
}
