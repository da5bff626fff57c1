import { sql } from 'kysely'
import { AGENT_ID_MAX, type Agent } from '../../kernel/agent.js'
import { TYPE_PREFIX } from '../../kernel/addresses.js'
import { composed } from '../../kernel/text.js'
import type { Db } from '../../postgres/schema.js'
import { defineStatement } from '../../postgres/statements.js'
import { beginsWithName, type NamePlace, namePlaces, shortestName } from '../../visibility/mentions.js'
import type { Draft } from './messages.js'

/** Names after an @ that are looked up for one call. */
const PLACES_MAX = 50

/** One of those a message is addressed to, as its sender may know it. */
interface Addressed {
  /** As it was given: an agent_id, or `type:` and an agent_type. */
  agent_id: string
  known: boolean
  last_seen_at: string | null
  waiting: boolean
}

/** What the answer to a writer says of whom its messages reach. */
export interface Reached {
  mentions?: string[]
  unresolved_mentions?: string[]
  addressed?: Addressed[]
}

/**
 * Finds whom messages are addressed to and mention, before they are written. Messages without `to` and without an @
 * cost nothing; any others cost one statement, for at most 50 names after an @.
 * @returns the drafts with their addressees as these are spelt, and the names in whose inboxes they belong; and what
 * the answer says. An agent that is limited to sessions learns only of those that have been in this one.
 */
export async function reach(
  db: Db,
  { workspace, sessions }: Agent,
  session_id: string,
  drafts: readonly Draft[]
): Promise<{ drafts: Draft[]; reached: Reached }> {
  const placesOf = placesIn(drafts)
  const to = [...new Set(drafts.flatMap(({ addressees = [] }) => addressees))]
  if (to.length === 0 && placesOf.every(places => places.length === 0)) return { drafts: [...drafts], reached: {} }
  const ranges = rangesOf(placesOf.flat())
  const found = await findNames(db, {
    workspace,
    names: spellings(to.filter(name => !name.startsWith(TYPE_PREFIX))),
    lows: [...ranges.values()],
    highs: [...ranges.keys()],
    types: to.filter(name => name.startsWith(TYPE_PREFIX)).map(name => name.slice(TYPE_PREFIX.length)),
    session_id: sessions === undefined ? null : session_id
  })
  const known = new Map(found.map(one => [one.name, one]))
  const spelt = (name: string) => (known.has(name) || name.startsWith(TYPE_PREFIX) ? name : composed(name))

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
    if (name.length > (longest?.length ?? 0) && texts.some(text => beginsWithName(text, name))) longest = name
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
