import type { Agent } from '../../kernel/agent.js'
import { createBatcher } from '../../kernel/batcher.js'
import { overMemory, refuseMuchMemory } from '../../limits/store/usage.js'
import type { Quotas } from '../../limits/quotas.js'
import { isStatementFault } from '../../postgres/faults.js'
import { claim, settle } from '../../postgres/idempotency.js'
import type { Db } from '../../postgres/schema.js'
import { inWorkspace, transact, type Unscoped } from '../../postgres/scope.js'
import { changedNow, currentVersion, keyExists, versionConflict } from './entries.js'
import { type NewValue, type Outcome, placeName, type Stored, storeValues } from './memory-batch.js'

/** Values of one batch, at most. */
const BATCH_MAX = 256
/** So many bytes of a value count as much as a value: a batch has at most a megabyte, or one value. */
const BYTES_PER_VALUE = 4000
/** Batches of all workspaces in flight, at most: the rest of the pool is for other calls. */
const IN_FLIGHT_MAX = 3
/**
 * One batch of a workspace at a time. One that has been in flight for SLOW_MS waits for something, such as a row that a
 * transaction holds. Then one more begins.
 */
const WORKSPACE_IN_FLIGHT_MAX = 2
const SLOW_MS = 25

export interface SetRequest extends NewValue {
  workspace: string
  onRepeat?: () => void
}

type Placed = Pick<SetRequest, 'where' | 'key'>
type Unplaced = Omit<SetRequest, 'where' | 'key'>

export interface MemoryWriter {
  /**
   * Stores a value and answers after the commit.
   * @throws AppError KEY_EXISTS, VERSION_CONFLICT, IDEMPOTENCY_CONFLICT, QUOTA_EXCEEDED
   */
  set: (request: SetRequest) => Promise<Stored>
  /** The same in a transaction of its own, which finds or makes the place for it, unless the call is a repeat. */
  setFirst: (request: Unplaced, makePlace: (tx: Db) => Promise<Placed>) => Promise<Stored>
}

/** Whose memory would be too much: nothing of the batch was stored. */
class TooMuch extends Error {
  constructor(readonly owners: ReadonlySet<string>) {
    super()
  }
}

/**
 * Stores what arrives at the same time in one statement: a flush of the log to disk, a round trip and a plan serve many
 * calls.
 */
export function createMemoryWriter(database: Unscoped, quotas: Quotas): MemoryWriter {
  const batches = createBatcher<SetRequest, Stored>({
    flush,
    group: ({ workspace }) => workspace,
    key: ({ where, key }) => placeName(where, key),
    weight: ({ value }) => Math.max(1, value.length / BYTES_PER_VALUE),
    weight_max: BATCH_MAX,
    group_in_flight_max: WORKSPACE_IN_FLIGHT_MAX,
    in_flight_max: IN_FLIGHT_MAX,
    slow_ms: SLOW_MS,
    isItemFault: isStatementFault
  })

  async function flush(requests: SetRequest[], workspace: string): Promise<Array<Stored | Promise<Stored>>> {
    const [first] = requests as [SetRequest]
    let outcomes: Outcome[]
    try {
      outcomes = await store(requests, workspace)
    } catch (error) {
      if (error instanceof TooMuch) return apart(requests, workspace, error.owners)
      if (requests.length === 1 && first.idempotencyKey !== undefined && isStatementFault(error))
        return [alone(first, async () => first)]
      throw error
    }
    return outcomes.map((outcome, i) => {
      const request = requests[i] as SetRequest
      if (outcome === 'repeated') return alone(request, async () => request)
      return outcome === 'refused' ? whyRefused(inWorkspace(database, workspace), request) : outcome
    })
  }

  async function store(requests: readonly SetRequest[], workspace: string): Promise<Outcome[]> {
    const db = inWorkspace(database, workspace)
    if (quotas.memory_entries === 0 && quotas.memory_bytes === 0) return storeValues(db, workspace, requests)
    return transact(db, async tx => {
      const outcomes = await storeValues(tx, workspace, requests)
      const over = await overMemory(tx, workspace, [...new Set(requests.map(({ where }) => where.owner))], quotas)
      if (over.length > 0) throw new TooMuch(new Set(over))
      return outcomes
    })
  }

  /** Those who have too much go one after the other, and the rest together. */
  async function apart(
    requests: readonly SetRequest[],
    workspace: string,
    owners: ReadonlySet<string>
  ): Promise<Array<Stored | Promise<Stored>>> {
    const rest = requests.filter(({ where }) => !owners.has(where.owner))
    const stored = rest.length > 0 ? await flush(rest, workspace) : []
    let last: Promise<unknown> = Promise.resolve()
    return requests.map(request => {
      if (!owners.has(request.where.owner)) return stored[rest.indexOf(request)] as Stored | Promise<Stored>
      const after = last
      const own = after.then(() => alone(request, async () => request))
      last = own.catch(() => undefined)
      return own
    })
  }

  /** A request whose key has come before or comes twice at once: whoever has the key decides, so it is waited for. */
  async function alone(
    { workspace, idempotencyKey: once, onRepeat, ...given }: Unplaced,
    makePlace: (tx: Db) => Promise<Placed>
  ): Promise<Stored> {
    return transact(inWorkspace(database, workspace), async tx => {
      const first = once === undefined ? undefined : await claim<Stored>(tx, once)
      if (first !== undefined) {
        onRepeat?.()
        return first
      }
      const { where, key } = await makePlace(tx)
      const value = { ...given, where, key }
      const [outcome] = await storeValues(tx, workspace, [value])
      if (typeof outcome !== 'object') return whyRefused(tx, { ...value, workspace })
      await refuseMuchMemory(tx, { workspace, agent_id: where.owner }, quotas)
      if (once !== undefined) await settle(tx, once, outcome)
      return outcome
    })
  }

  return { set: request => batches.add(request), setFirst: alone }
}

/** @throws AppError always: why a value was not stored */
export async function whyRefused(
  db: Db,
  { workspace, where, key, overwrite, if_version }: NewValue & Pick<Agent, 'workspace'>
): Promise<never> {
  const version = await currentVersion(db, workspace, where, key)
  if (!overwrite && version > 0) throw keyExists()
  if (if_version !== undefined && if_version !== version) throw versionConflict(version)
  throw changedNow()
}
