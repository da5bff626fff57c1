/**
 * Examples of the OpenAPI page, with which "Try it out" begins. They work as they are, but for the ids: the page cannot
 * know which sessions and messages there are.
 */

type Schema = Record<string, unknown> & {
  type?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  enum?: unknown[]
  minimum?: number
  minItems?: number
  default?: unknown
}

/** Values of arguments, by their names; those that are not here are made from their schemas. */
const ARGUMENTS: Record<string, unknown> = {
  agent_id: 'planner',
  agent_type: 'claude',
  session_id: 'session_0123456789abcdef',
  purpose: 'Plan the release of version 2',
  content: '@reviewer The parser is done. Please have a look.',
  messages: [{ content: 'The parser is done.' }, { content: 'The tests are green.', metadata: { build: 7 } }],
  message_id: 1,
  message_ids: [1],
  metadata: { project: 'parser' },
  sender: 'planner',
  query: 'release',
  start_time: '2026-01-01',
  end_time: '2099-12-31',
  key: 'plan',
  value: { step: 2, done: ['parser'] },
  key_id: 'key_0123456789abcdef',
  title: 'Test the parser on Windows',
  tasks: [{ title: 'Build the release' }, { title: 'Announce it', priority: -1 }],
  task_id: 'task_0123456789abcdef',
  lease_token: 1,
  result: { failures: 0 },
  error: 'No machine with Windows was free.',
  note: 'The tests of the lexer pass. Those of the parser are left.',
  names: ['deploy'],
  leases: [{ name: 'deploy', token: 1 }],
  status: 'Reviewing the parser',
  visibility: 'private',
  days: 365,
  timeout_seconds: 5,
  ndjson: `${[
    {
      type: 'session',
      version: 1,
      id: 'session_0123456789abcdef',
      purpose: 'Plan the release of version 2',
      metadata: {},
      created_by: 'planner',
      created_at: '2026-01-31T09:30:00.000Z',
      updated_at: '2026-01-31T09:30:00.000Z',
      is_active: false,
      archived_at: null
    },
    {
      type: 'message',
      id: 1,
      seq: 1,
      sender: 'planner',
      sender_type: 'claude',
      content: 'The parser is done.',
      visibility: 'public',
      metadata: {},
      parent_message_id: null,
      timestamp: '2026-01-31T09:31:00.000Z'
    },
    { type: 'end', messages: 1 }
  ]
    .map(line => JSON.stringify(line))
    .join('\n')}\n`
}

/** Arguments beyond the required ones that say what a tool is for. */
const MORE: Record<string, string[]> = {
  add_message: ['metadata'],
  complete_task: ['result'],
  release_task: ['lease_token'],
  search_context: ['session_id'],
  set_retention: ['days'],
  update_session: ['purpose'],
  update_task: ['title'],
  wait_for_messages: ['timeout_seconds']
}

/** Where the name of an argument does not say enough: nobody should erase a planner by trying it out. */
const OF_TOOL: Record<string, Record<string, unknown>> = {
  ask: { to: 'reviewer', timeout_seconds: 1 },
  batch_memory: {
    operations: [
      { op: 'set', key: 'plan', value: { step: 3 } },
      { op: 'get', key: 'plan' }
    ]
  },
  delete_memory: { key: 'plan' },
  erase_agent: { agent_id: 'an-agent-that-left' },
  update_memory: { key: 'steps', op: 'increment', value: 1 },
  wait_for_inbox: { timeout_seconds: 1 },
  wait_for_reply: { timeout_seconds: 1 }
}

/** An example of a tool's arguments. */
export function exampleOf(tool: string, { properties = {}, required = [] }: Schema): Record<string, unknown> {
  const names = [...required, ...(MORE[tool] ?? []).filter(name => !required.includes(name))]
  return {
    ...Object.fromEntries(names.map(name => [name, argumentExample(name, properties[name] ?? {})])),
    ...OF_TOOL[tool]
  }
}

/** An example of one argument. */
export function argumentExample(name: string, schema: Schema): unknown {
  if (name in ARGUMENTS) return ARGUMENTS[name]
  if (schema.default !== undefined) return schema.default
  if (schema.enum !== undefined) return schema.enum[0]
  if (schema.anyOf !== undefined) return argumentExample(name, schema.anyOf[0] ?? {})
  switch (schema.type) {
    case 'integer':
    case 'number':
      return schema.minimum ?? 1
    case 'boolean':
      return true
    case 'array':
      return [argumentExample(name, schema.items ?? {})]
    case 'object':
      return exampleOf(name, schema)
    default:
      return name.replaceAll('_', ' ')
  }
}
