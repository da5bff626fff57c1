/** A call that the service refused, or that did not reach it. */
export class CallFailed extends Error {
  constructor(
    /** One of the codes of docs/troubleshooting.md, or `UNREACHABLE`. */
    readonly code: string,
    message: string,
    readonly suggestions: readonly string[] = [],
    /** Seconds after which the same call may succeed. */
    readonly retry_after: number | undefined = undefined
  ) {
    super(message)
  }
}

/** The failure in an answer's body. A proxy may have answered, with a page. */
export async function failureOf(answer: Response): Promise<CallFailed> {
  const body = (await answer.json().catch(() => ({}))) as {
    code?: string
    error?: string
    suggestions?: string[]
    retry_after?: number
  }
  return new CallFailed(
    body.code ?? 'UNREACHABLE',
    body.error ?? `The address answered with status ${answer.status}, but not the service.`,
    body.suggestions,
    body.retry_after
  )
}

export function unreachable(): CallFailed {
  return new CallFailed('UNREACHABLE', 'The service does not answer.', [
    'Check that it runs, and your connection to it'
  ])
}

/** What ends a sign-in: the credentials are not good any more. */
export function endsSignIn(error: unknown): boolean {
  return (
    error instanceof CallFailed &&
    ['TOKEN_EXPIRED', 'TOKEN_REVOKED', 'INVALID_TOKEN', 'AUTHENTICATION_REQUIRED'].includes(error.code)
  )
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
