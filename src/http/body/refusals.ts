import type { IncomingMessage } from 'node:http'
import type { AppError } from '../../kernel/errors.js'
import { intakeOf } from '../connection/intake.js'

const REFUSED = 'body refused'
const refusals = new WeakMap<IncomingMessage, AppError>()

/** Ends the reading of a body, now or when it would begin. The error becomes the answer of the request. */
export function refuseBody(request: IncomingMessage, error: AppError): void {
  refusals.set(request, error)
  intakeOf(request.socket)?.stopParsing()
  request.emit(REFUSED, error)
}

/**
 * Calls `callback` once if the body is refused.
 * @returns a function that removes the listener
 */
export function onRefused(request: IncomingMessage, callback: (error: AppError) => void): () => void {
  const refusal = refusals.get(request)
  if (refusal === undefined) request.once(REFUSED, callback)
  else callback(refusal)
  return () => {
    request.off(REFUSED, callback)
  }
}
