import type { Agent } from './agent.js'

/** An owner that has not called for so long is not there. */
const RECENT_MS = 2000

/**
 * Whose credentials an agent uses: the agents of one key of create_api_key have one owner, and so have all others of a
 * workspace.
 */
export function ownerOf({ workspace, key_id }: Pick<Agent, 'workspace' | 'key_id'>): string {
  return key_id ?? `workspace ${workspace}`
}

/**
 * Knows whether an owner has the process to itself. What slows a caller down for the others' sake asks this first. The
 * two owners that called last are enough to know.
 */
export class RecentOwners {
  private last = { owner: '', at: -Infinity }
  private last_other = { owner: '', at: -Infinity }

  /** @param at milliseconds of performance.now() */
  note(owner: string, at = performance.now()): void {
    if (owner === this.last.owner) {
      this.last.at = at
      return
    }
    this.last_other = this.last
    this.last = { owner, at }
  }

  /** Whether another owner has called within the last two seconds. */
  hasOthersThan(owner: string, at = performance.now()): boolean {
    const other = this.last.owner === owner ? this.last_other : this.last
    return at - other.at < RECENT_MS
  }
}
