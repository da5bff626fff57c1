import {
  BaseStore,
  type GetOperation,
  type Item,
  type ListNamespacesOperation,
  type MatchCondition,
  type Operation,
  type OperationResults,
  type PutOperation,
  type SearchItem,
  type SearchOperation
} from '@langchain/langgraph-checkpoint'
import type { SharedContext } from '../client.js'
import { MemoryNotFoundError } from '../generated/errors.js'
import { matches, ofService, type Filter } from './filters.js'
import { inBatches, readMany } from './memory.js'
import { decoded, encoded } from './names.js'

export interface StoreOptions {
  /** The namespace of the service below which everything is, of 1 to 7 parts. Default: `langgraph`. */
  root?: string | undefined
}

const PAGE = 1000
/** The most that one search of the service answers. */
const SEARCH_MAX = 100

/**
 * A store of LangGraph in the shared memory of the service. Its values are JSON objects of at most 4 MiB; a namespace
 * has at most 7 labels. With `query` it finds values by the service's text search; it has no vectors, and leaves
 * `index` out of account.
 */
export class SharedContextStore extends BaseStore {
  private readonly root: string

  constructor(
    private readonly client: SharedContext,
    { root = 'langgraph' }: StoreOptions = {}
  ) {
    super()
    this.root = root
  }

  /** Reads first, then writes: what is read is what was there before. Of several writes of one key the last counts. */
  async batch<Op extends Operation[]>(operations: Op): Promise<OperationResults<Op>> {
    const results: unknown[] = operations.map(() => undefined)
    const gets = operations.flatMap((operation, at) => (isGet(operation) ? [{ operation, at }] : []))
    const items = await this.read(gets.map(({ operation }) => operation))
    gets.forEach(({ at }, n) => {
      results[at] = items[n] ?? null
    })
    for (const [at, operation] of operations.entries()) {
      if ('namespacePrefix' in operation) results[at] = await this.find(operation)
      else if (isList(operation)) results[at] = await this.namespaces(operation)
    }
    await this.write(operations.filter(isPut))
    return results as OperationResults<Op>
  }

  private path(namespace: readonly string[]): string {
    return [this.root, ...namespace.map(encoded)].join('/')
  }

  private labels(path: string): string[] {
    return path
      .slice(this.root.length + 1)
      .split('/')
      .map(decoded)
  }

  private async read(gets: readonly GetOperation[]): Promise<Array<Item | undefined>> {
    const [only] = gets
    if (gets.length === 1 && only !== undefined) {
      // One read needs the permission to read alone; a batch needs the one to write.
      const namespace = this.path(only.namespace)
      const found = await this.client.getMemory({ namespace, key: encoded(only.key) }).catch((error: unknown) => {
        if (error instanceof MemoryNotFoundError) return undefined
        throw error
      })
      return [found && itemOf(only.namespace, only.key, found)]
    }
    const found = await readMany(
      this.client,
      gets.map(({ namespace, key }) => ({ namespace: this.path(namespace), key: encoded(key) }))
    )
    return gets.map(({ namespace, key }, n) => found[n] && itemOf(namespace, key, found[n]))
  }

  private async write(puts: readonly PutOperation[]): Promise<void> {
    const last = new Map(puts.map(put => [JSON.stringify([put.namespace, put.key]), put]))
    await inBatches(
      this.client,
      [...last.values()].map(({ namespace, key, value }) => {
        const place = { namespace: this.path(namespace), key: encoded(key) }
        return value === null ? { op: 'delete' as const, ...place } : { op: 'set' as const, ...place, value }
      })
    )
  }

  private async find(operation: SearchOperation): Promise<SearchItem[]> {
    const { namespacePrefix, limit = 10, offset = 0, query } = operation
    const filter = (operation.filter ?? {}) as Filter
    const found =
      query === undefined
        ? await this.list(namespacePrefix, filter, offset + limit)
        : await this.rank(operation, query, filter)
    return found.slice(offset, offset + limit)
  }

  /** The first values below a namespace that meet the filter: those in it, then those below it. */
  private async list(prefix: readonly string[], filter: Filter, most: number): Promise<SearchItem[]> {
    const own = this.path(prefix)
    const found = prefix.length === 0 ? [] : await this.listOne(own, filter, most)
    if (found.length >= most) return found
    for await (const { namespace } of this.client.each('list_namespaces', { prefix: `${own}/`, limit: 500 })) {
      found.push(...(await this.listOne(namespace, filter, most - found.length)))
      if (found.length >= most) break
    }
    return found
  }

  private async listOne(namespace: string, filter: Filter, most: number): Promise<SearchItem[]> {
    const found: SearchItem[] = []
    const labels = this.labels(namespace)
    const simple = ofService(filter)
    const entries = this.client.each('list_memory', {
      namespace,
      include_values: true,
      limit: Math.min(PAGE, most),
      ...(Object.keys(simple).length > 0 && { filter: simple })
    })
    for await (const entry of entries) {
      if (isObject(entry.value) && matches(entry.value, filter)) found.push(itemOf(labels, decoded(entry.key), entry))
      if (found.length >= most) break
    }
    return found
  }

  /** What the service's search finds below a namespace, best first. */
  private async rank({ namespacePrefix, limit = 10, offset = 0 }: SearchOperation, query: string, filter: Filter) {
    const isFiltered = Object.keys(filter).length > 0
    const { results } = await this.client.searchMemory({
      query,
      namespace: this.path(namespacePrefix),
      fuzzy_threshold: 0,
      limit: isFiltered ? SEARCH_MAX : Math.min(SEARCH_MAX, offset + limit)
    })
    const keys = results.map(({ namespace, key }) => ({ namespace: namespace ?? '', key }))
    const values = await readMany(this.client, keys)
    return results.flatMap(({ namespace, key, score }, n): SearchItem[] => {
      const value = values[n]
      if (value === undefined || namespace === null || !isObject(value.value) || !matches(value.value, filter))
        return []
      return [{ ...itemOf(this.labels(namespace), decoded(key), value), score: score / 100 }]
    })
  }

  private async namespaces({ matchConditions = [], maxDepth, limit, offset }: ListNamespacesOperation) {
    const found = new Map<string, string[]>()
    for await (const { namespace } of this.client.each('list_namespaces', { prefix: `${this.root}/`, limit: 500 })) {
      const labels = this.labels(namespace)
      if (!matchConditions.every(condition => meets(labels, condition))) continue
      const cut = labels.slice(0, maxDepth)
      found.set(JSON.stringify(cut), cut)
    }
    const sorted = [...found].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, labels]) => labels)
    return sorted.slice(offset, offset + limit)
  }
}

interface Stored {
  value?: unknown
  created_at?: string
  updated_at?: string
}

function itemOf(namespace: readonly string[], key: string, { value, created_at = '', updated_at = '' }: Stored): Item {
  return {
    namespace: [...namespace],
    key,
    value: value as Item['value'],
    createdAt: new Date(created_at),
    updatedAt: new Date(updated_at)
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isPut(operation: Operation): operation is PutOperation {
  return 'value' in operation
}

function isGet(operation: Operation): operation is GetOperation {
  return 'key' in operation && !('value' in operation)
}

function isList(operation: Operation): operation is ListNamespacesOperation {
  return !('key' in operation) && !('namespacePrefix' in operation)
}

function meets(labels: readonly string[], { matchType, path }: MatchCondition): boolean {
  if (path.length > labels.length) return false
  const part = matchType === 'prefix' ? labels.slice(0, path.length) : labels.slice(labels.length - path.length)
  return path.every((label, at) => label === '*' || label === part[at])
}
