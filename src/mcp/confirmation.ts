import { acceptedContent, inputRequired } from '@modelcontextprotocol/server'
import type { Tool } from '../kernel/tool.js'
import { stringify } from '../kernel/json-text.js'

/** What a request of 2026-07-28 says beside its parameters; the SDK has taken it out of them. */
export interface Beside {
  envelope?: Record<string, unknown>
  inputResponses?: Record<string, unknown>
}

const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities'
/** The name of the question among those of one call. */
const QUESTION = 'confirm'

/** Whether a client can ask its user by a form. */
export function canAsk(envelope: Record<string, unknown> | undefined): boolean {
  const { elicitation } = Object(envelope?.[CAPABILITIES]) as { elicitation?: unknown }
  if (typeof elicitation !== 'object' || elicitation === null) return false
  // A client that names no kind means forms; one that names only addresses cannot show any.
  return !('url' in elicitation) || 'form' in elicitation
}

/**
 * What a call of an irreversible tool is answered until the user has agreed. The client asks, and calls again with what
 * the user said. It protects the user of a client from its model; it is no permission, so a client that cannot ask is
 * not asked.
 * @returns undefined if the call may go on
 */
export function confirmationFor(
  tool: Tool | undefined,
  args: unknown,
  beside: Beside
): Record<string, unknown> | undefined {
  if (tool?.irreversible !== true || !canAsk(beside.envelope)) return undefined
  const { inputResponses } = beside
  if (inputResponses === undefined || !(QUESTION in inputResponses)) {
    return inputRequired({
      inputRequests: {
        [QUESTION]: inputRequired.elicit({
          message: `${tool.title}? This cannot be taken back. ${subjectOf(args)}`,
          requestedSchema: {
            type: 'object',
            properties: { [QUESTION]: { type: 'boolean', title: 'Yes, do it', default: false } },
            required: [QUESTION]
          }
        })
      }
    })
  }
  if (acceptedContent(inputResponses, QUESTION)?.[QUESTION] === true) return undefined
  const declined = {
    success: false,
    error: 'The user did not agree, so nothing was done.',
    code: 'PERMISSION_DENIED',
    suggestions: ['Do not call it again unless the user asks for it']
  }
  return { content: [{ type: 'text', text: stringify(declined) }], isError: true }
}

/** What the call names, as it came: ids, which no text of another agent can shape. */
function subjectOf(args: unknown): string {
  return Object.entries(Object(args) as Record<string, unknown>)
    .filter(([name, value]) => name !== 'idempotency_key' && typeof value === 'string')
    .map(([name, value]) => `${name}: ${JSON.stringify(value).slice(0, 200)}`)
    .join(', ')
}
