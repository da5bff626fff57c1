import type { Bench, Finding } from '../kit/bench.js'
import { follow } from '../kit/follow.js'
import { addMessages, CONNECTIONS, SUCCESS } from '../kit/requests.js'
import { ratioRow, sideNotes } from '../kit/report.js'
import { alternate, loadSide, type Side } from '../kit/rounds.js'
import { served } from './with.js'

/**
 * What it costs writers that somebody has the page open on their session, which follows the session's events, or on the
 * list of sessions, which follows those of the workspace. The program that reads the events shares the machine's cores:
 * the ratio counts that against the service, the ratio by CPU does not.
 */
export async function watched(bench: Bench): Promise<Finding> {
  const { service, tokens, sessions, end } = await served(bench, 'watched')
  const [session_id] = sessions as [string]
  await bench.load.prepare('add', {
    senders: addMessages(service.port, tokens, [session_id]),
    expect: SUCCESS
  })
  const alone = loadSide(bench, 'alone', 'add', [service])
  let events = 0
  const watchedAt = (name: string, path: string): Side => ({
    name,
    async round() {
      const follower = await follow(service.port, path, tokens[0] as string, () => events++)
      try {
        return await alone.round()
      } finally {
        follower.destroy()
      }
    }
  })
  const measured = await alternate(bench, [
    alone,
    watchedAt('session', `/mcp/sessions/${session_id}/events`),
    watchedAt('list', '/mcp/events')
  ])
  await end()
  if (events === 0) throw new Error('The followers were told nothing.')
  const row = (screen: string, side: string) =>
    ratioRow(
      `add_message, ${CONNECTIONS} connections, one session, with a page open on ${screen} ÷ without`,
      measured,
      side,
      'alone',
      0.97
    )
  return {
    rows: [row('it', 'session'), row('the list of sessions', 'list')],
    notes: [...sideNotes(measured), `the page was told ${events} pieces of events`].map(note => `watched: ${note}`)
  }
}
