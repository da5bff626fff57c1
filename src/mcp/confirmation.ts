import { acceptedContent, inputRequired } from '@modelcontextprotocol/server'
import type { Tool } from '../kernel/tool.js'
import { stringify } from '../kernel/json-text.js'

/** What a client is asked to show its user. */
export interface Question {
  message: string
  requestedSchema: Form
}

type Form = Parameters<typeof inputRequired.elicit>[0]['requestedSchema']

/** How long a user has to answer, in milliseconds. Most clients give the call up before. */
export const ANSWER_MS = 300_000

const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities'
/** The name of the question among those of one call, and of the field that says yes. */
const QUESTION = 'confirm'

const FORM: Form = {
  type: 'object',
  properties: { [QUESTION]: { type: 'boolean', title: 'Yes, do it', default: false } },
  required: [QUESTION]
}

/** Whether a client can ask its user by a form. */
export function canAsk(capabilities: unknown): boolean {
  const { elicitation } = Object(capabilities) as { elicitation?: unknown }
  if (typeof elicitation !== 'object' || elicitation === null) return false
  // A client that names no kind means forms; one that names only addresses cannot show any.
  return !('url' in elicitation) || 'form' in elicitation
}

/** What a 2026-07-28 client can do: it says so with every request. */
export function capabilitiesIn(envelope: Record<string, unknown> | undefined): unknown {
  return envelope?.[CAPABILITIES]
}

/**
 * What the user must have agreed to before a call; undefined for most calls. It protects the user of a client from its
 * model; it is no permission, so a client that cannot ask is not asked.
 */
export function questionOf(tool: Tool | undefined, args: unknown): Question | undefined {
  const given = Object(args) as Record<string, unknown>
  if (tool?.irreversible?.(given) !== true) return undefined
  return { message: `${tool.title}? This cannot be taken back. ${subjectOf(given)}`, requestedSchema: FORM }
}

/**
 * What a call of 2026-07-28 is answered until the user has agreed.
 * @param inputResponses what the client says that its user said
 * @returns undefined if the call may go on
 */
export function confirmationFor(
  question: Question,
  inputResponses: Record<string, unknown> | undefined
): Record<string, unknown> | undefined {
  if (inputResponses === undefined || !(QUESTION in inputResponses))
    return inputRequired({ inputRequests: { [QUESTION]: inputRequired.elicit(question) } })
  const said = { action: 'accept', content: acceptedContent(inputResponses, QUESTION) }
  return agrees(said) ? undefined : declined(said)
}

/** Whether an answer to the question says yes. */
export function agrees(answer: unknown): boolean {
  const { action, content } = Object(answer) as { action?: unknown; content?: unknown }
  return action === 'accept' && (Object(content) as Record<string, unknown>)[QUESTION] === true
}

/** @param said what the user said; undefined: nothing */
export function declined(said: unknown): Record<string, unknown> {
  const failure = {
    success: false,
    error: `The user ${said === undefined ? 'has not answered' : 'did not agree'}, so nothing was done.`,
    code: 'PERMISSION_DENIED',
    suggestions: ['Do not call it again unless the user asks for it']
  }
  return { content: [{ type: 'text', text: stringify(failure) }], isError: true }
}

/** What the call names, as it came: ids, which no text of another agent can shape. */
function subjectOf(args: Record<string, unknown>): string {
  return Object.entries(args)
    .filter(([name, value]) => name !== 'idempotency_key' && name !== 'auth_token' && typeof value === 'string')
    .map(([name, value]) => `${name}: ${JSON.stringify(value).slice(0, 200)}`)
    .join(', ')
}
