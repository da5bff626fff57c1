import { RefusedError } from '../../../clients/typescript/src/index.js'

const ENDS = ['TOKEN_EXPIRED', 'TOKEN_REVOKED', 'INVALID_TOKEN', 'AUTHENTICATION_REQUIRED']

/** What ends a sign-in: the credentials are not good any more. */
export function endsSignIn(error: unknown): error is RefusedError {
  return error instanceof RefusedError && ENDS.includes(error.code)
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
