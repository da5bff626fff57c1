import type { SharedContext } from '../client.js'
import type { BatchMemoryInput, BatchMemoryOutput } from '../generated/tools.js'

/** Many operations on memory, in as few calls as the service takes. */

export type MemoryOperation = BatchMemoryInput['operations'][number]
export type MemoryResult = BatchMemoryOutput['results'][number]

/** Operations in one call, and characters of JSON: the service takes 500, and bodies of 8 MiB. */
const OPERATIONS_MAX = 500
const CHARACTERS_MAX = 2_000_000

/** Writes; each call writes all of its operations or, if `atomic`, none. @returns the results, in order */
export async function inBatches(
  client: SharedContext,
  operations: readonly MemoryOperation[],
  { atomic = true }: { atomic?: boolean } = {}
): Promise<MemoryResult[]> {
  const results: MemoryResult[] = []
  for (const part of parts(operations))
    results.push(...(await client.batchMemory({ operations: part, atomic })).results)
  return results
}

/** Reads values; undefined where there is none. An answer that has no room for all is followed by another call. */
export async function readMany(
  client: SharedContext,
  keys: ReadonlyArray<{ namespace: string; key: string }>
): Promise<Array<MemoryResult | undefined>> {
  const found: Array<MemoryResult | undefined> = []
  while (found.length < keys.length) {
    const operations = keys.slice(found.length, found.length + OPERATIONS_MAX)
    const { results } = await client.batchMemory({ operations: operations.map(place => ({ op: 'get', ...place })) })
    if (results.length === 0) throw new Error('The service answered with no result.')
    found.push(...results.map(result => (result.found === true ? result : undefined)))
  }
  return found
}

function parts(operations: readonly MemoryOperation[]): MemoryOperation[][] {
  const all: MemoryOperation[][] = []
  let size = Infinity
  for (const operation of operations) {
    const characters = JSON.stringify(operation).length
    const last = all.at(-1)
    if (last === undefined || last.length === OPERATIONS_MAX || size + characters > CHARACTERS_MAX) {
      all.push([operation])
      size = characters
    } else {
      last.push(operation)
      size += characters
    }
  }
  return all
}
