import { sql } from 'kysely'
import { AGENT_ID_MAX, type Agent } from '../../kernel/agent.js'
import { TYPE_PREFIX } from '../../kernel/addresses.js'
import { composed } from '../../kernel/text.js'
import type { Db } from '../../postgres/schema.js'
import { defineStatement } from '../../postgres/statements.js'
import { beginsWithName, type NamePlace, namePlaces, shortestName } from '../../visibility/mentions.js'
import type { Addressed, Draft, Reached } from './messages.js'

/** Names after an @ that are looked up for one call. */
const PLACES_MAX = 50

/** One call's messages, before it is known whom they reach. */
export interface Sending {
  sender: Agent
  session_id: string
  drafts: readonly Draft[]
}

/** The messages with their addressees as these are spelt, and the names in whose inboxes they belong. */
export interface Resolved {
  drafts: Draft[]
  /** What the answer says. An agent that is limited to sessions learns only of those that have been in this one. */
  reached: Reached
}

/**
 * Finds whom the messages of calls are addressed to and mention, before they are written. Messages without `to` and
 * without an @ cost nothing; those of all others cost one statement together, and one for each call of an agent that
 * is limited to sessions.
 */
export async function resolveRecipients(db: Db, calls: readonly Sending[]): Promise<Resolved[]> {
  const asked = calls.map(asking)
  const open = asked.filter(one => one.asks && one.sender.sessions === undefined)
  const known = open.length === 0 ? [] : await findNames(db, namesOf(open, null))
  return Promise.all(
    asked.map(async one => {
      if (!one.asks) return { drafts: [...one.drafts], reached: {} }
      const limited = one.sender.sessions !== undefined
      return resolve(one, limited ? await findNames(db, namesOf([one], one.session_id)) : known)
    })
  )
}

const isType = (name: string) => name.startsWith(TYPE_PREFIX)

interface Asking extends Sending {
  /** Of each draft. */
  placesOf: NamePlace[][]
  to: string[]
  asks: boolean
}

function asking(sending: Sending): Asking {
  const placesOf = placesIn(sending.drafts)
  const to = [...new Set(sending.drafts.flatMap(({ addressees = [] }) => addressees))]
  return { ...sending, placesOf, to, asks: to.length > 0 || placesOf.some(places => places.length > 0) }
}

function namesOf(asked: readonly Asking[], session_id: string | null) {
  const ranges = rangesOf(asked.flatMap(({ placesOf }) => placesOf.flat()))
  const to = asked.flatMap(one => one.to)
  return {
    workspace: (asked[0] as Asking).sender.workspace,
    names: spellings(to.filter(name => !isType(name))),
    lows: [...ranges.values()],
    highs: [...ranges.keys()],
    types: to.filter(isType).map(name => name.slice(TYPE_PREFIX.length)),
    session_id
  }
}

/** @param found names that this call asked for; others may be among them */
function resolve({ drafts, placesOf, to }: Asking, found: readonly Found[]): Resolved {
  const known = new Map(found.map(one => [one.name, one]))
  const spelt = (name: string) => (known.has(name) || isType(name) ? name : composed(name))

  const mentions = new Set<string>()
  const unresolved = new Set<string>()
  const resolved = drafts.map((draft, i) => {
    const inboxes = new Set((draft.addressees ?? []).map(spelt))
    for (const { word, texts } of placesOf[i] as NamePlace[]) {
      const name = longestOf(found, texts)
      // It is kept by its word for an agent that is to come.
      if (name !== undefined || word !== '') inboxes.add(name ?? composed(word))
      if (name !== undefined && known.get(name)?.shown === true) mentions.add(name)
      else if (word !== '') unresolved.add(word)
    }
    if (inboxes.size === 0) return draft
    return { ...draft, addressees: [...new Set(draft.addressees?.map(spelt))], names: [...inboxes] }
  })
  const addressed = [...new Set(to.map(spelt))].map((name): Addressed => {
    const one = known.get(name)
    if (one?.shown !== true) return { agent_id: name, known: false, last_seen_at: null, waiting: false }
    return { agent_id: name, known: true, last_seen_at: one.last_seen_at, waiting: one.waiting }
  })
  return {
    drafts: resolved,
    reached: {
      ...(mentions.size > 0 && { mentions: [...mentions] }),
      ...(unresolved.size > 0 && { unresolved_mentions: [...unresolved] }),
      ...(addressed.length > 0 && { addressed })
    }
  }
}

/** The places of each draft where names begin: at most so many in all of them. */
function placesIn(drafts: readonly Draft[]): NamePlace[][] {
  let left = PLACES_MAX
  return drafts.map(({ content }) => {
    if (left === 0 || !(content.includes('@') || content.includes('＠'))) return []
    const places = namePlaces(content, left, AGENT_ID_MAX)
    left -= places.length
    return places
  })
}

/** Between which texts the names lie that could be meant at these places: by the longest, the shortest. */
function rangesOf(places: readonly NamePlace[]): Map<string, string> {
  const ranges = new Map<string, string>()
  for (const high of places.flatMap(({ texts }) => texts)) {
    const low = shortestName(high)
    if (low !== undefined) ranges.set(high, low)
  }
  return ranges
}

/** The longest of the names that the texts begin with. */
function longestOf(found: readonly Found[], texts: readonly string[]): string | undefined {
  let longest: string | undefined
  for (const { name } of found)
    if (name.length > (longest?.length ?? 0) && !isType(name) && texts.some(text => beginsWithName(text, name)))
      longest = name
  return longest
}

/** Each name as it was given, and then composed. */
function spellings(names: readonly string[]): string[] {
  return [...new Set(names.flatMap(name => [name, composed(name)]))]
}

interface Found {
  name: string
  last_seen_at: string
  waiting: boolean
  /** Whether the asker may know of it. */
  shown: boolean
}

const findNames = defineStatement<
  { workspace: string; names: string[]; lows: string[]; highs: string[]; types: string[]; session_id: string | null },
  Found
>('agents.reached', (_db, { workspace, names, lows, highs, types, session_id }) => {
  const waits = sql`exists (select from agent_waits w where w.workspace = a.workspace and w.agent_id = a.agent_id
    and w.until > clock_timestamp())`
  const shown = sql`(${session_id}::text is null or exists (select from session_presence p
    where p.workspace = a.workspace and p.session_id = ${session_id} and p.agent_id = a.agent_id))`
  return sql`
    select agent_id as name, last_seen_at, ${waits} as waiting, ${shown} as shown
    from agents a where workspace = ${workspace} and agent_id = any(${names}::text[])
    union all
    select agent_id, last_seen_at, ${waits}, ${shown}
    from unnest(${lows}::text[], ${highs}::text[]) as place (low, high)
    join agents a on a.workspace = ${workspace} and a.agent_id >= place.low collate "C"
      and a.agent_id <= place.high collate "C" and starts_with(place.high, a.agent_id)
    union all
    select ${TYPE_PREFIX}::text || agent_type, max(last_seen_at), bool_or(${waits}), true
    from agents a where workspace = ${workspace} and agent_type = any(${types}::text[]) and ${shown}
    group by agent_type`
})
