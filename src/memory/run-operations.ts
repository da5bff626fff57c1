import type { Agent } from '../kernel/agent.js'
import { ITEMS_MAX } from '../kernel/answer-size.js'
import { AppError } from '../kernel/errors.js'
import { JsonText } from '../kernel/json-text.js'
import { composed } from '../kernel/text.js'
import type { Db } from '../postgres/schema.js'
import { type Named, whereToDelete, whereToRead, whereToStore } from './memory-scope.js'
import { inOperation, type Operation } from './operations.js'
import { currentVersion, spellingOf, type Where } from './store/entries.js'
import { type NewValue, placeName, storeOfOneCall } from './store/memory-batch.js'
import { list } from './store/memory-list.js'
import { type MemoryKey, readFitting } from './store/memory-reader.js'
import { remove, removePrefix } from './store/memory-removal.js'
import { whyRefused } from './store/memory-writer.js'

/** The result of one operation. PostgreSQL prints most of those in which a value was found. */
export type Result = ({ op: string; ok: boolean } & Record<string, unknown>) | JsonText

/** Bytes of a result besides what it holds, about. */
const RESULT_BYTES = 4000

/**
 * The result of a get.
 * @param json what `readFitting` returned. PostgreSQL writes spaces, and every digit of a large number. If that makes
 * the text much longer than `size`, it is printed anew, as the value was sent.
 */
function foundResult(json: string, size: number): Result {
  const text = `{"op":"get","ok":true,${json}}`
  return Buffer.byteLength(text) <= size + RESULT_BYTES ? new JsonText(text) : (JSON.parse(text) as Result)
}

/**
 * Runs operations in their order, those that stand side by side in one statement.
 * @param atomic whether the first error ends all; else it is the result of its operation
 * @returns the results, as many as an answer holds; and whose memory was written
 */
export async function runOperations(tx: Db, agent: Agent, operations: readonly Operation[], atomic: boolean) {
  const { workspace, agent_id } = agent
  const results: Result[] = []
  const owners = new Set<string>()
  let bytes = 0
  let full = false

  function add(result: Result, size: number): void {
    full ||= results.length > 0 && bytes + size + RESULT_BYTES > ITEMS_MAX
    if (full) return
    bytes += size + RESULT_BYTES
    results.push(result)
  }

  function fail(error: unknown, i: number): Result {
    if (atomic || !(error instanceof AppError)) throw inOperation(error, i)
    const { code, message, context } = error
    return {
      op: (operations[i] as Operation).op,
      ok: false,
      error: { code, error: message, ...(context && { context }) }
    }
  }

  const placeFor = await findPlaces(tx, agent, operations)

  for (let i = 0; i < operations.length;) {
    const { op } = operations[i] as Operation
    const run = op === 'set' ? await storeRun(i) : op === 'get' ? await readRun(i) : [await one(i)]
    for (const result of run) add(...result)
    i += Math.max(1, run.length)
  }
  return { results, owners }

  /** Stores values until another operation follows, or a key comes again. */
  async function storeRun(from: number): Promise<Array<[Result, number]>> {
    const done: Array<{ result: Result } | { stored: NewValue }> = []
    const keys = new Set<string>()
    for (let i = from; operations[i]?.op === 'set'; i++) {
      const operation = operations[i] as Operation
      try {
        const where = placeFor(operation)
        const key = await spellingOf(tx, workspace, where, operation.key as string)
        const name = placeName(where, key)
        if (keys.has(name)) break
        keys.add(name)
        owners.add(where.owner)
        const { value, expires_in = 0, metadata = {}, overwrite = true, if_version } = operation
        const text = JSON.stringify(value)
        const stored = { where, key, value: text, metadata, expires_in, overwrite, if_version, author: agent_id }
        done.push({ stored })
      } catch (error) {
        done.push({ result: fail(error, i) })
      }
    }
    const values = done.flatMap(each => ('stored' in each ? [each.stored] : []))
    const outcomes = values.length === 0 ? [] : await storeOfOneCall(tx, agent, values)
    let n = 0
    const run: Array<[Result, number]> = []
    for (const [offset, each] of done.entries()) {
      const outcome = 'result' in each ? undefined : outcomes[n++]
      if ('result' in each) run.push([each.result, 0])
      else if (outcome !== undefined) run.push([{ op: 'set', ok: true, ...outcome }, 0])
      else {
        const error: unknown = await whyRefused(tx, { ...each.stored, workspace }).catch((thrown: unknown) => thrown)
        run.push([fail(error, from + offset), 0])
      }
    }
    return run
  }

  /** Reads values until another operation follows. Those for which the answer has no room are not read. */
  async function readRun(from: number): Promise<Array<[Result, number]>> {
    const done: Array<{ result: Result } | MemoryKey> = []
    for (let i = from; operations[i]?.op === 'get'; i++) {
      const operation = operations[i] as Operation
      try {
        const where = placeFor(operation)
        done.push({ where, key: await spelt(where, operation.key as string) })
      } catch (error) {
        done.push({ result: fail(error, i) })
      }
    }
    const keys = done.filter(each => 'where' in each)
    const room = ITEMS_MAX - bytes - RESULT_BYTES * done.length
    const values = full || keys.length === 0 ? [] : await readFitting(tx, workspace, keys, room)
    let n = 0
    return done.map(each => {
      if ('result' in each) return [each.result, 0]
      const stored = values[n++]
      if (stored === undefined) return [{ op: 'get', ok: true, key: each.key, found: false, value: null }, 0]
      // Where nothing was read, there is no room, and nothing is added behind it.
      const { json, size } = stored
      return json === null ? [{ op: 'get', ok: true }, ITEMS_MAX] : [foundResult(json, size), size]
    })
  }

  async function spelt(where: Where, key: string): Promise<string> {
    const plain = composed(key)
    return plain === key || (await currentVersion(tx, workspace, where, key)) > 0 ? key : plain
  }

  async function one(i: number): Promise<[Result, number]> {
    const operation = operations[i] as Operation
    try {
      const where = placeFor(operation)
      const { op, key, prefix = '', if_version, limit = 50 } = operation
      if (op === 'delete') {
        const count =
          key === undefined
            ? await removePrefix(tx, workspace, where, prefix)
            : Number(await remove(tx, workspace, where, key, if_version))
        if (count > 0) owners.add(where.owner)
        return [{ op, ok: true, deleted: count > 0, count }, 0]
      }
      if (full) return [{ op, ok: true }, ITEMS_MAX]
      const { entries, end } = await list(tx, agent, { where, prefix, order: 'updated', limit })
      const shown = entries.map(({ key, version, value_size, updated_at, updated_by, expires_at }) => ({
        key,
        version,
        value_size,
        updated_at,
        updated_by,
        expires_at
      }))
      const result = { op, ok: true, entries: shown, count: shown.length, has_more: end !== null }
      return [result, Buffer.byteLength(JSON.stringify(result))]
    } catch (error) {
      return [fail(error, i), 0]
    }
  }
}

/**
 * Finds where the operations store and read, each place once. First the places of what is stored: that may make a
 * namespace from which another operation reads.
 * @returns the place of an operation; it throws what the search for it threw
 */
async function findPlaces(tx: Db, agent: Agent, operations: readonly Operation[]): Promise<(of: Operation) => Where> {
  const places = new Map<string, { where: Where } | { error: unknown }>()
  const wayOf = ({ op }: Operation) => (op === 'list' ? 'get' : op)
  const nameOf = (of: Operation) => [wayOf(of), of.session_id, of.namespace].join('\n')
  const isSet = ({ op }: Operation) => op === 'set'
  for (const operation of [...operations.filter(isSet), ...operations.filter(each => !isSet(each))]) {
    const name = nameOf(operation)
    if (places.has(name)) continue
    const { session_id, namespace } = operation
    const find = { get: whereToRead, set: whereToStore, delete: whereToDelete }[wayOf(operation)]
    const found = find(tx, agent, { session_id, namespace } satisfies Named)
    places.set(name, await found.then(where => ({ where })).catch((error: unknown) => ({ error })))
  }
  return operation => {
    const place = places.get(nameOf(operation)) as { where: Where } | { error: unknown }
    if ('error' in place) throw place.error
    return place.where
  }
}
