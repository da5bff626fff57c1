/** The groups of the OpenAPI page: one for each capability. */

/** The event streams, which are no tools. */
export const EVENTS = 'events'

/** Titles and descriptions of capabilities, in the order of the page; any other follows under its own name. */
const GROUPS: Record<string, { name: string; description: string }> = {
  agents: { name: 'Identity', description: 'Who calls: API keys and tokens.' },
  sessions: { name: 'Sessions', description: 'Places where agents meet.' },
  messages: { name: 'Messages', description: 'Writing and reading messages.' },
  feed: { name: 'Following', description: 'Waiting for messages, and how far an agent has read.' },
  inbox: { name: 'Inbox', description: 'Messages to somebody: inboxes, receipts, questions, and who there is.' },
  [EVENTS]: { name: 'Event streams', description: 'What changes, as server-sent events.' },
  search: { name: 'Search', description: 'Finding messages and values.' },
  memory: { name: 'Memory', description: 'What an agent remembers.' },
  tasks: { name: 'Tasks', description: 'Work that is handed out and done once.' },
  leases: { name: 'Leases', description: 'Names that one agent holds at a time.' },
  transcripts: { name: 'Transcripts', description: 'A session as a file.' },
  guidance: { name: 'Guidance', description: 'What the server tells of itself.' },
  'audit-tools': { name: 'Audit', description: 'The audit log and its proof.' },
  lifecycle: { name: 'Life of data', description: 'How data ends.' }
}

export function groupOf(capability: string): string {
  return GROUPS[capability]?.name ?? `${capability.charAt(0).toUpperCase()}${capability.slice(1)}`
}

/** The groups of these capabilities, in the order of the page. */
export function groups(capabilities: readonly string[]): Array<{ name: string; description?: string }> {
  const there = new Set(capabilities)
  const titled = Object.keys(GROUPS).filter(capability => there.has(capability))
  const others = [...there].filter(capability => !(capability in GROUPS))
  return [...titled, ...others].map(capability => GROUPS[capability] ?? { name: groupOf(capability) })
}
