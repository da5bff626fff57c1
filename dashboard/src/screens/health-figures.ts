import type { Health } from '../api/catalogue.js'

/** Share of failed calls from which on somebody should look. */
const MANY_FAILURES = 0.2
/** Calls below which a share says nothing. */
const FEW_CALLS = 50
/** Messages that wait for the search index, from which on searches may miss some. */
const MANY_WAITING = 20_000

/** What is wrong, and what to do about it. */
export function adviceFor({ replicas, minutes, tools }: Health): string[] {
  const advice: string[] = []
  const up = replicas.filter(({ is_up }) => is_up)
  for (const { replica, seen_at } of replicas.filter(({ is_up }) => !is_up))
    advice.push(
      `${replica} has told nothing since ${new Date(seen_at).toLocaleTimeString()}. It was killed, or does not reach ` +
        'the database: its log says why. If it is gone for good, it goes from this list within an hour.'
    )
  for (const { replica, connections } of up)
    if (connections.waiting > 0)
      advice.push(
        `${connections.waiting} calls wait for a database connection of ${replica}. Raise DATABASE_POOL_MAX if ` +
          'PostgreSQL has room, or add a replica.'
      )
  const deaf = up.filter(({ event_hints }) => event_hints === 'poll').map(({ replica }) => replica)
  if (deaf.length > 0)
    advice.push(
      `Hints of changes do not reach ${deaf.join(', ')}, so that changes come up to 250 ms later. Set ` +
        'DATABASE_LISTEN_URL to an address of PostgreSQL itself, not of a pooler.'
    )
  const versions = [...new Set(up.map(({ version }) => version))]
  if (versions.length > 1) advice.push(`Replicas of versions ${versions.join(' and ')} run. Finish the upgrade.`)
  const waiting = minutes.at(-1)?.search_waiting ?? 0
  if (waiting > MANY_WAITING)
    advice.push(
      `${waiting.toLocaleString()} messages wait for the search index, and searches may not find the older ones of ` +
        'them. After an import it catches up by itself; if the number grows, add a replica.'
    )
  const calls = tools.reduce((sum, { success, error }) => sum + success + error, 0)
  const failures = tools.reduce((sum, { error }) => sum + error, 0)
  if (calls >= FEW_CALLS && failures / calls > MANY_FAILURES)
    advice.push(
      `${Math.round((failures / calls) * 100)} % of the calls of the last hour failed. The table of tools says ` +
        'which; the log has the reasons.'
    )
  return advice
}
