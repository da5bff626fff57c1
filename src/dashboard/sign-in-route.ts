import type { FastifyInstance, FastifyRequest } from 'fastify'
import { callerOf } from '../http/caller.js'
import { sendFailure } from '../http/failures.js'
import { ToolCall } from '../kernel/call.js'
import { AppError } from '../kernel/errors.js'
import type { RegisteredTool } from '../kernel/kernel.js'
import type { SignInCodes } from './sign-in-codes.js'

/** Headers by which a proxy says that it hands on what somebody else asks. */
const OF_PROXIES = /^(forwarded|via|x-real-ip|x-forwarded.*)$/

/** Who signs in by the link. */
const PERSON = { agent_id: 'person', agent_type: 'human', requested_permissions: ['read', 'write'] }

/**
 * POST /app/sign-in with a code: the answer of authenticate_agent, as if `person` had called it with the server's key.
 * Only for a browser on this machine: whatever a proxy hands on is refused, because whoever is behind it is unknown.
 */
export function registerSignIn(app: FastifyInstance, codes: SignInCodes, api_key: string): void {
  const authenticate = app.kernel.find('authenticate_agent') as RegisteredTool
  app.post('/app/sign-in', async (request, reply) => {
    const { code } = Object(request.body) as { code?: unknown }
    if (!isFromHere(request) || typeof code !== 'string' || !codes.use(code)) return sendFailure(reply, notGood())
    const caller = { ...callerOf(request, 'rest'), credentials: { api_key } }
    const call = new ToolCall(authenticate, caller, app.kernel)
    const outcome = (await call.authorize(PERSON)) ?? (await call.run(PERSON, () => authenticate.accept(PERSON)))
    return outcome.ok ? outcome.body : sendFailure(reply, outcome.error)
  })
}

function isFromHere({ raw, headers }: FastifyRequest): boolean {
  const { remoteAddress = '' } = raw.socket
  const isLocal = remoteAddress === '::1' || /^(::ffff:)?127\./.test(remoteAddress)
  return isLocal && !Object.keys(headers).some(name => OF_PROXIES.test(name))
}

function notGood(): AppError {
  return new AppError('PERMISSION_DENIED', 'The link does not sign in any more.', {
    suggestions: [
      'Sign in with an API key',
      'Restart the service: it prints a new link, which is good once, for 5 minutes'
    ]
  })
}
