import type { Log } from '../kernel/log.js'
import { type Episode, trackEpisodes } from './episodes.js'
import { isOfDatabase, loggableFault } from './faults.js'

export type LogFault = (error: unknown, words: string, fields?: Record<string, unknown>) => void

export interface FaultLog {
  /**
   * Logs what has gone wrong in the background. A fault that goes on is logged once, and counted until it is over.
   * @param words what did not happen, for the log; a few different ones in all
   */
  background: LogFault
  /** The same for a call, of which only what is wrong with the database goes on. */
  call: LogFault
  close: () => void
}

/**
 * @param onDatabaseFault is called for each fault of the database, also for those that are not logged one by one
 * @param quiet_ms milliseconds without a fault after which it is over; default: as for every episode
 */
export function createFaultLog(
  log: Pick<Log, 'info' | 'warn'>,
  onDatabaseFault: () => void,
  quiet_ms?: number
): FaultLog {
  const episodes = new Map<string, Episode>()
  /** What is logged beside the fault with which an episode begins. */
  let beginning: Record<string, unknown> = {}

  function episodeOf(key: string, words: string): Episode {
    const known = episodes.get(key)
    if (known !== undefined) return known
    const episode = trackEpisodes({
      quiet_ms,
      onBegin(error) {
        log.warn({ ...beginning, err: loggableFault(error) }, words)
      },
      onEnd(times, seconds) {
        episodes.delete(key)
        if (times > 1) log.info({ times, seconds }, `no longer: ${words}`)
      }
    })
    episodes.set(key, episode)
    return episode
  }

  function note(error: unknown, words: string, fields: Record<string, unknown>): void {
    // While the database is away, it is so in several ways, one after the other.
    const ofDatabase = isOfDatabase(error)
    if (ofDatabase) onDatabaseFault()
    const code = ofDatabase ? 'database' : String((error as { code?: unknown } | null | undefined)?.code)
    beginning = fields
    episodeOf(`${words}\n${code}`, words).fault(error)
  }

  return {
    background(error, words, fields = {}) {
      note(error, words, fields)
    },
    call(error, words, fields = {}) {
      if (isOfDatabase(error)) note(error, words, fields)
      else log.warn({ ...fields, err: loggableFault(error) }, words)
    },
    close() {
      for (const episode of episodes.values()) episode.close()
      episodes.clear()
    }
  }
}
