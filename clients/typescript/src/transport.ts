import { ERRORS, type ErrorCode } from './generated/errors.js'
import { Ending } from './pause.js'
import { type ErrorBody, RefusedError, UnreachableError } from './refused-error.js'

/** One request, without repeats: what was answered, or why nothing was. */

/** With these statuses a gateway says that the service may be back soon. */
const GATEWAY = new Set([408, 429, 502, 503, 504])

export interface Wire {
  /** The address of the service, with a slash at its end. */
  readonly base: URL
  readonly fetch: typeof fetch
}

/** @throws TypeError if the address is none */
export function wireTo(url: string, fetcher: typeof fetch | undefined): Wire {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new TypeError(
      `The address of the service must begin with http:// or https://, such as http://127.0.0.1:23456.`
    )
  const base = new URL(url)
  base.pathname = base.pathname.replace(/\/*$/, '/')
  base.search = ''
  base.hash = ''
  // Browsers insist that fetch is called as a function of the window.
  return { base, fetch: fetcher ?? ((input, init) => fetch(input, init)) }
}

export interface Attempt {
  headers: Record<string, string>
  signal: AbortSignal | undefined
  timeoutMs: number
}

/**
 * Calls a tool once.
 * @throws RefusedError, UnreachableError, or the signal's reason
 */
export async function post(wire: Wire, path: string, body: string, attempt: Attempt): Promise<unknown> {
  const ending = new Ending(attempt.signal)
  const late = () => noAnswer(wire, `no answer came within ${attempt.timeoutMs} ms`)
  ending.endIn(attempt.timeoutMs, late)
  try {
    const answer = await open(wire, path, ending.signal, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...attempt.headers },
      body
    })
    const text = await answer.text()
    return answerOf(wire, answer, text)
  } catch (error) {
    throw explained(wire, error, ending.signal)
  } finally {
    ending.release()
  }
}

/** A request whose answer the caller reads. @throws what fetch throws */
export function open(wire: Wire, path: string, signal: AbortSignal, init: RequestInit): Promise<Response> {
  // The service never redirects. Elsewhere, nobody must get the key.
  return wire.fetch(new URL(path, wire.base), { ...init, redirect: 'manual', signal })
}

/** What the service answered. @throws RefusedError, UnreachableError */
export function answerOf(wire: Wire, answer: Response, text: string): unknown {
  const body = parsed(text)
  if (body?.success === true) return body
  if (typeof body?.code === 'string' && typeof body.error === 'string')
    throw refusal({ ...body, code: body.code, error: body.error }, answer.status)
  throw notTheService(wire, answer)
}

function parsed(text: string): (Partial<ErrorBody> & { success?: unknown }) | undefined {
  try {
    return Object(JSON.parse(text)) as Partial<ErrorBody> & { success?: unknown }
  } catch {
    return undefined
  }
}

function refusal(body: ErrorBody, status: number): RefusedError {
  const kind = Object.hasOwn(ERRORS, body.code) ? ERRORS[body.code as ErrorCode] : RefusedError
  return new kind(body, status)
}

function notTheService({ base }: Wire, { status, headers }: Response): UnreachableError {
  const redirects = status === 0 || (status >= 300 && status < 400)
  const seconds = Number(headers.get('retry-after') ?? NaN)
  return new UnreachableError(
    redirects
      ? `The address ${base.href} redirects, which the service never does.`
      : `The address ${base.href} answered with HTTP ${status}, but not the service.`,
    {
      status,
      mayPass: GATEWAY.has(status),
      retryAfter: Number.isFinite(seconds) ? seconds : undefined,
      suggestions: GATEWAY.has(status)
        ? ['Wait: a gateway answers for the service, which may be back soon']
        : ['Check the address: something else than the service is there']
    }
  )
}

function noAnswer({ base }: Wire, why: string, cause?: unknown): UnreachableError {
  return new UnreachableError(`The service at ${base.href} cannot be reached: ${why}.`, {
    mayPass: true,
    cause,
    suggestions: ['Start the service, or check its address']
  })
}

/** What a failed request means: the signal's reason, or that nobody can be reached. */
export function explained(wire: Wire, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  if (error instanceof RefusedError || error instanceof UnreachableError) return error
  // The platform's words differ, and Node hides the useful ones in the cause.
  const { code } = Object((error as Error | undefined)?.cause) as { code?: unknown }
  return noAnswer(wire, typeof code === 'string' ? code : 'the connection failed', error)
}
