import type { Test } from 'tap'
import { type ErrorCode, errorKinds } from '../../src/kernel/errors.js'
import { tools } from './tools.js'
import type { Answer } from '../helper.js'

const FIELDS = ['success', 'error', 'code', 'severity', 'recoverable', 'suggestions', 'timestamp', 'request_id']
const SOMETIMES = ['context', 'retry_after']

/** Names with an underscore that may stand in a suggestion: tools, their arguments and answers, fields of an error. */
const known = new Set([
  ...tools.flatMap(tool => [tool.name, ...Object.keys(tool.input.properties), ...Object.keys(tool.output.properties)]),
  ...FIELDS,
  ...SOMETIMES,
  'created_by',
  'agent_only',
  'admin_only',
  'credential_refused',
  'permission_denied'
])

/** Checks that an answer is a failure as docs/semantics.md, Errors has it, whatever led to it. */
export function isFailure(t: Test, { status, headers, body }: Answer, code: ErrorCode, what: string = code): void {
  const faults: string[] = []
  const need = (holds: boolean, fault: string) => {
    if (!holds) faults.push(fault)
  }
  need(status === errorKinds[code].status, `HTTP ${status}`)
  need(body.code === code, `code ${String(body.code)}: ${String(body.error)}`)
  need(body.success === false, 'success is not false')
  for (const field of FIELDS) need(field in body, `${field} is missing`)
  for (const field of Object.keys(body))
    need(FIELDS.includes(field) || SOMETIMES.includes(field), `${field} is not in the contract`)
  need(typeof body.error === 'string' && body.error.length > 0 && body.error.length < 300, 'error is no sentence')
  need(['warning', 'error', 'critical'].includes(body.severity), 'severity')
  need(typeof body.recoverable === 'boolean', 'recoverable')
  need(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(body.timestamp), 'timestamp')
  need(typeof body.request_id === 'string' && body.request_id !== '', 'request_id')
  need(
    body.context === undefined ||
      (typeof body.context === 'object' && body.context !== null && !Array.isArray(body.context)),
    'context'
  )
  need(
    body.retry_after === undefined ||
      (Number.isInteger(body.retry_after) && String(headers['retry-after']) === String(body.retry_after)),
    'retry_after'
  )
  need(/^application\/json/.test(String(headers['content-type'])), `content-type ${String(headers['content-type'])}`)
  const asked = headers['www-authenticate']
  // A missing permission is a scope to ask for, where an outside issuer gives them.
  need(
    (status === 401) === (asked !== undefined) || (status === 403 && /error="insufficient_scope"/.test(String(asked))),
    'www-authenticate'
  )
  faults.push(...suggestionFaults(body.suggestions))
  t.same(faults, [], what)
}

export function suggestionFaults(suggestions: unknown): string[] {
  if (!Array.isArray(suggestions) || suggestions.length === 0) return ['no suggestions']
  return suggestions.flatMap(one => {
    if (typeof one !== 'string' || one === '') return ['a suggestion that is no text']
    const strangers = (one.match(/\b[a-z]+(?:_[a-z]+)+\b/g) ?? []).filter(word => !known.has(word))
    return strangers.length > 0 ? [`it suggests ${strangers.join(', ')}, which does not exist: ${one}`] : []
  })
}
