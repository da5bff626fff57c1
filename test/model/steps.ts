import fc from 'fast-check'
import type { Agent, Permission, Visibility } from './model.js'

/**
 * Steps as plain data that says nothing of ids: they name the how-manieth session, message or cursor, so that a
 * sequence stays meaningful when others are taken out of it, and a failing one can be shrunk.
 */
export interface Step {
  who: number
  tool: string
  args: any
  once?: number
  key?: KeyRef
}

/**
 * Which of a workspace's API keys the call comes with, where there is one, instead of a token; and under which name.
 */
export interface KeyRef {
  slot: number
  fits: boolean
  n: number
}

/**
 * In every workspace the same names, so that a leak between them is not hidden by who is who. The one name has two
 * kinds.
 */
export const AGENTS: Agent[] = (
  [
    ['ada', 'coder', ['read', 'write']],
    ['ada-2', 'coder', ['read', 'write']],
    ['ada', 'reviewer', ['read', 'write']],
    ["o'brien%_", 'reviewer', ['read', 'write']],
    ['ünï-名', 'coder', ['read']],
    ['writer', 'coder', ['write']],
    ['boss', 'admin', ['read', 'write', 'admin']],
    ['auditor', 'reviewer', ['admin']]
  ] as Array<[string, string, Permission[]]>
).map(([agent_id, agent_type, permissions]) => ({ agent_id, agent_type, permissions }))

/** Under which names somebody comes with a key: most of those that it is for. */
export const KEY_NAMES = ['ada', 'ada-2', 'ada-keyed', 'keyed', 'boss']
const KEYS = 3

/** Far enough apart for a search that forgives typing errors. */
const WORDS = [
  'walrus',
  'kettle',
  'quartz',
  'bicycle',
  'hammock',
  'zeppelin',
  'orchid',
  'gravel',
  'pumpkin',
  'lantern',
  'violin',
  'cactus',
  'thimble',
  'jigsaw',
  'falcon',
  'umbrella'
]

/** Which session or message of the caller's workspace; now and then one of the neighbour's, or none at all. */
export interface SessionRef {
  of: 'own' | 'neighbour' | 'nobody'
  n: number
}
export interface MessageRef {
  of: SessionRef['of'] | 'mine'
  n: number
}

const whose = fc.oneof(
  { weight: 40, arbitrary: fc.constant('own' as const) },
  { weight: 2, arbitrary: fc.constant('neighbour' as const) },
  { weight: 1, arbitrary: fc.constant('nobody' as const) }
)
const session = fc.record({ of: whose, n: fc.nat(4) })
// Closed sessions are few, so that most of what is written is.
const closing = fc.record({ of: whose, n: fc.nat(1) })
const message = fc.record({ of: whose, n: fc.nat(25) })
// Few, so that one is hidden and shown more than once.
const mine = fc.record({ of: fc.constant('mine' as const), n: fc.nat(4) })
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
/** Given once in so many times. */
const rarely = <T>(times: number, arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: times - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
const word = fc.constantFrom(...WORDS)
const agent_id = fc.constantFrom(...new Set(AGENTS.map(agent => agent.agent_id)), 'nobody')
const visibility = fc.oneof(
  { weight: 6, arbitrary: fc.constant('public') },
  { weight: 6, arbitrary: fc.constantFrom<Visibility>('private', 'agent_only') },
  { weight: 1, arbitrary: fc.constant('admin_only') }
)
const text = fc.string({ unit: 'grapheme', maxLength: 8 }).map(value => value.replaceAll('\u0000', ''))
const key = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
  .filter(value => value !== '__proto__' && !value.includes('\u0000'))
const json = fc.letrec<{ value: unknown }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    text,
    fc.integer(),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 3 })
  )
})).value
const metadata = maybe(fc.dictionary(key, json, { maxKeys: 3 }))
/** What a memory's key may look like, few enough to meet again. */
const memoryKey = fc.constantFrom('a', 'ab', 'a%', "plan'; --")
const limit = maybe(fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(100)))
const cursor = maybe(
  fc.oneof(
    fc.constant({ from: 'last answer' as const }),
    fc.record({ from: fc.constant('anywhere' as const), n: fc.nat(100) })
  )
)
export type CursorRef = { from: 'last answer' } | { from: 'anywhere'; n: number }

const content = fc.record({
  words: fc.array(word, { minLength: 1, maxLength: 3 }),
  mention: maybe(agent_id),
  decoy: maybe(agent_id)
})
const draft = fc.record({ content, visibility, metadata, parent: rarely(4, message) })

const tools: Array<[weight: number, tool: string, args: fc.Arbitrary<any>, writes?: true]> = [
  [3, 'create_session', fc.record({ purpose: fc.array(word, { minLength: 1, maxLength: 2 }), metadata }), true],
  [6, 'get_session', fc.record({ session, message_limit: maybe(fc.nat(4)) })],
  [
    5,
    'list_sessions',
    fc.record({
      created_by: maybe(agent_id),
      active: maybe(fc.boolean()),
      archived: rarely(4, fc.boolean()),
      word: maybe(word),
      limit,
      further: fc.boolean()
    })
  ],
  [
    7,
    'update_session',
    fc.record({
      session,
      purpose: maybe(fc.array(word, { minLength: 1, maxLength: 2 })),
      metadata,
      is_active: maybe(
        fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) })
      )
    }),
    true
  ],
  [1, 'close_session', fc.record({ session: closing }), true],
  [1, 'archive_session', fc.record({ session: closing }), true],
  [1, 'delete_session', fc.record({ session }), true],
  [
    4,
    'delete_message',
    fc.record({ message: fc.oneof({ weight: 2, arbitrary: mine }, { weight: 1, arbitrary: message }) }),
    true
  ],
  [20, 'add_message', fc.record({ session, draft }), true],
  [4, 'add_messages', fc.record({ session, drafts: fc.array(draft, { minLength: 1, maxLength: 4 }) }), true],
  [
    18,
    'get_messages',
    fc.record({
      session,
      limit,
      offset: maybe(fc.nat(5)),
      after: cursor,
      before: cursor,
      order: maybe(fc.constantFrom('asc', 'desc')),
      visibility_filter: maybe(visibility),
      sender: rarely(3, agent_id),
      parent: rarely(4, message)
    })
  ],
  [
    14,
    'set_message_visibility',
    fc.record({ message: fc.oneof({ weight: 2, arbitrary: mine }, { weight: 1, arbitrary: message }), visibility }),
    true
  ],
  [3, 'search_by_sender', fc.record({ session, sender: agent_id, limit })],
  [
    4,
    'wait_for_messages',
    fc.record({ session, after: cursor, limit, sender: rarely(4, agent_id), mentions_only: maybe(fc.boolean()) })
  ],
  [
    6,
    'search_context',
    fc.record({
      session: maybe(session),
      word,
      limit,
      search_scope: maybe(fc.constantFrom('all', 'public', 'private')),
      sender: rarely(4, agent_id),
      fuzzy_threshold: maybe(fc.constantFrom(60, 100))
    })
  ],
  [
    5,
    'mark_read',
    fc.record({
      session,
      up_to: fc.oneof({ weight: 5, arbitrary: cursor }, { weight: 1, arbitrary: fc.constant('beyond' as const) })
    }),
    true
  ],
  [
    12,
    'set_memory',
    fc.record({
      session: rarely(4, session),
      key: memoryKey,
      value: json,
      metadata,
      overwrite: rarely(4, fc.constant(false)),
      expires_in: maybe(fc.constant(3600))
    }),
    true
  ],
  [6, 'get_memory', fc.record({ session: rarely(4, session), key: memoryKey })],
  [
    4,
    'list_memory',
    fc.record({
      session: maybe(fc.oneof(session, fc.constant('all' as const))),
      prefix: maybe(fc.constantFrom('', 'a', 'a%', '_', 'plan')),
      limit
    })
  ],
  [1, 'delete_memory', fc.record({ session: rarely(4, session), key: memoryKey }), true]
]

const slot = fc.nat(KEYS - 1)
const keyTools: Array<[weight: number, tool: string, args: fc.Arbitrary<any>]> = [
  [
    2,
    'create_api_key',
    fc.record({
      slot,
      agent_id: fc.constantFrom('ada', 'ada-*', 'keyed', '*'),
      agent_type: fc.constantFrom('coder', 'reviewer', 'admin'),
      permissions: maybe(fc.uniqueArray(fc.constantFrom<Permission>('read', 'write', 'admin'), { minLength: 1 })),
      sessions: maybe(fc.array(session, { minLength: 1, maxLength: 3 }))
    })
  ],
  [1, 'revoke_api_key', fc.record({ slot, of: whose })]
]
// Both are for admins, who are two of eight.
const anAdmin = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(6, 7, AGENTS.length + 6, AGENTS.length + 7) },
  { weight: 1, arbitrary: fc.nat(2 * AGENTS.length - 1) }
)

export const step: fc.Arbitrary<Step> = fc.oneof(
  ...keyTools.map(([weight, tool, args]) => ({
    weight,
    arbitrary: fc.record({ who: anAdmin, tool: fc.constant(tool), args })
  })),
  ...tools.map(([weight, tool, args, writes]) => ({
    weight,
    arbitrary: fc.record({
      who: fc.nat(2 * AGENTS.length - 1),
      tool: fc.constant(tool),
      args,
      ...(writes && { once: rarely(8, fc.nat(6)) }),
      key: rarely(
        4,
        fc.record({
          slot,
          fits: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
          n: fc.nat(3)
        })
      )
    })
  }))
)

/**
 * Every sequence begins with some sessions in both workspaces, and keys for them: without any there is little to do.
 */
export const BEGINNING: Step[] = [0, 1].flatMap(workspace => [
  ...[0, 1, 2, 6].map(agent => ({
    who: workspace * AGENTS.length + agent,
    tool: 'create_session',
    args: { purpose: [WORDS[agent]] }
  })),
  ...[
    { agent_id: 'ada', agent_type: 'coder' },
    { agent_id: 'ada-*', agent_type: 'reviewer', sessions: [0, 1] },
    { agent_id: 'keyed', agent_type: 'admin', permissions: ['read', 'admin'], sessions: [1, 2] }
  ].map(({ sessions, ...args }, slot) => ({
    who: workspace * AGENTS.length + 6,
    tool: 'create_api_key',
    args: { slot, ...args, sessions: sessions?.map(n => ({ of: 'own', n })) }
  }))
])
