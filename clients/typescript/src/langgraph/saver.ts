import type { RunnableConfig } from '@langchain/core/runnables'
import {
  BaseCheckpointSaver,
  type ChannelVersions,
  type Checkpoint,
  type CheckpointListOptions,
  type CheckpointMetadata,
  type CheckpointPendingWrite,
  type CheckpointTuple,
  copyCheckpoint,
  getCheckpointId,
  maxChannelVersion,
  type PendingWrite,
  type SerializerProtocol,
  TASKS,
  WRITES_IDX_MAP
} from '@langchain/langgraph-checkpoint'
import type { SharedContext } from '../client.js'
import { MemoryNotFoundError } from '../generated/errors.js'
import { inBatches, type MemoryOperation, readMany } from './memory.js'
import { inverted, shortened } from './names.js'
import { channelKey, namespaceOf, namespacesOf, placeOf } from './saver-places.js'
import {
  type ChannelValue,
  type CheckpointValue,
  compareWrites,
  pack,
  unpack,
  type WriteValue
} from './saver-values.js'

export interface SaverOptions {
  /** The namespace of the service below which everything is, of 1 to 6 parts. Default: `langgraph-checkpoints`. */
  root?: string | undefined
  serde?: SerializerProtocol | undefined
}

const PAGE = 100

/**
 * A checkpointer of LangGraph in the shared memory of the service. A thread has a namespace, and below it one for each
 * of its checkpoint namespaces. A checkpoint is a value; so is each version of a channel, which later checkpoints
 * share; so is each pending write. A channel's value may have some 4 MiB.
 */
export class SharedContextSaver extends BaseCheckpointSaver {
  private readonly root: string

  constructor(
    private readonly client: SharedContext,
    { root = 'langgraph-checkpoints', serde }: SaverOptions = {}
  ) {
    super(serde)
    this.root = root
  }

  async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    const thread_id = config.configurable?.thread_id as string | undefined
    if (thread_id === undefined) return undefined
    const namespace = await namespaceOf(
      this.root,
      thread_id,
      (config.configurable?.checkpoint_ns as string | undefined) ?? ''
    )
    const id = getCheckpointId(config)
    const stored = id === '' ? await this.newest(namespace) : await this.valueAt(namespace, `c/${inverted(id)}`)
    return stored === undefined ? undefined : this.tupleOf(namespace, stored as CheckpointValue)
  }

  async *list(config: RunnableConfig, options: CheckpointListOptions = {}): AsyncGenerator<CheckpointTuple> {
    const { limit = Infinity, before, filter = {} } = options
    const wanted = getCheckpointId(config)
    const end = before === undefined ? '' : getCheckpointId(before)
    let left = limit
    for await (const namespace of namespacesOf(this.client, this.root, config)) {
      for await (const value of this.values(namespace, 'c/', left)) {
        if (left <= 0) return
        const stored = value as CheckpointValue
        const { checkpoint_id } = stored
        if ((wanted !== '' && checkpoint_id !== wanted) || (end !== '' && checkpoint_id >= end)) continue
        const metadata = await unpack<Record<string, unknown>>(this.serde, stored.metadata)
        if (!Object.entries(filter).every(([name, each]) => metadata[name] === each)) continue
        yield await this.tupleOf(namespace, stored)
        left--
      }
    }
  }

  async put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    newVersions: ChannelVersions
  ): Promise<RunnableConfig> {
    const { thread_id, checkpoint_ns } = placeOf(config)
    const namespace = await namespaceOf(this.root, thread_id, checkpoint_ns)
    const { channel_values, ...rest } = copyCheckpoint(checkpoint)
    const channels = await Promise.all(
      Object.entries(newVersions).map(async ([channel, version]): Promise<MemoryOperation> => {
        const value = Object.hasOwn(channel_values, channel) ? await pack(this.serde, channel_values[channel]) : null
        return {
          op: 'set',
          namespace,
          key: await channelKey(channel, version),
          value: { value } satisfies ChannelValue
        }
      })
    )
    const value: CheckpointValue = {
      thread_id,
      checkpoint_ns,
      checkpoint_id: checkpoint.id,
      parent_id: getCheckpointId(config) || null,
      checkpoint: await pack(this.serde, rest),
      metadata: await pack(this.serde, metadata)
    }
    // The checkpoint last: if it takes several calls and they end halfway, nothing refers to what is missing.
    await inBatches(this.client, [...channels, { op: 'set', namespace, key: `c/${inverted(checkpoint.id)}`, value }])
    return { configurable: { thread_id, checkpoint_ns, checkpoint_id: checkpoint.id } }
  }

  async putWrites(config: RunnableConfig, writes: PendingWrite[], taskId: string, taskPath = ''): Promise<void> {
    const { thread_id, checkpoint_ns } = placeOf(config)
    const checkpoint_id = getCheckpointId(config)
    if (checkpoint_id === '') throw new TypeError('Writes need config.configurable.checkpoint_id.')
    const namespace = await namespaceOf(this.root, thread_id, checkpoint_ns)
    const task = await shortened(taskId)
    const operations = await Promise.all(
      writes.map(async ([channel, written], at): Promise<MemoryOperation> => {
        const index = WRITES_IDX_MAP[channel] ?? at
        const value: WriteValue = {
          task_id: taskId,
          task_path: taskPath,
          index,
          channel,
          value: await pack(this.serde, written)
        }
        const key = `w/${inverted(checkpoint_id)}/${task}/${index}`
        // A write that came before stays as it was: the task that repeats it must not change history. Errors,
        // interrupts and the like replace the earlier one.
        return { op: 'set', namespace, key, value, overwrite: index < 0 }
      })
    )
    if (operations.length === 0) return
    const results = await inBatches(this.client, operations, { atomic: false })
    const failed = results.find(({ ok, error }) => !ok && error?.code !== 'KEY_EXISTS')
    if (failed !== undefined) throw new Error(`A write was refused: ${String(failed.error?.error)}`)
  }

  async deleteThread(threadId: string): Promise<void> {
    for await (const namespace of namespacesOf(this.client, this.root, { configurable: { thread_id: threadId } }))
      await this.client.batchMemory({
        operations: ['c/', 'w/', 'b/'].map(prefix => ({ op: 'delete' as const, namespace, prefix }))
      })
  }

  private async valueAt(namespace: string, key: string): Promise<unknown> {
    try {
      return (await this.client.getMemory({ namespace, key })).value
    } catch (error) {
      if (error instanceof MemoryNotFoundError) return undefined
      throw error
    }
  }

  private async newest(namespace: string): Promise<unknown> {
    for await (const value of this.values(namespace, 'c/', 1)) return value
    return undefined
  }

  /** The values whose keys begin so, in the order of their keys. @param few how many are enough, most likely */
  private async *values(namespace: string, prefix: string, few = Infinity): AsyncGenerator<unknown> {
    const limit = Math.min(PAGE, Math.max(1, few))
    const list = this.client.each('list_memory', { namespace, prefix, order: 'key', include_values: true, limit })
    for await (const { value } of list) yield value
  }

  private async tupleOf(namespace: string, stored: CheckpointValue): Promise<CheckpointTuple> {
    const { thread_id, checkpoint_ns, checkpoint_id, parent_id } = stored
    const checkpoint = await unpack<Omit<Checkpoint, 'channel_values'>>(this.serde, stored.checkpoint)
    const [metadata, channel_values, pendingWrites] = await Promise.all([
      unpack<CheckpointMetadata>(this.serde, stored.metadata),
      this.channelValues(namespace, checkpoint.channel_versions),
      this.pendingWrites(namespace, checkpoint_id)
    ])
    const whole: Checkpoint = { ...checkpoint, channel_values }
    if (whole.v < 4 && parent_id !== null) await this.addPendingSends(namespace, whole, parent_id)
    const configOf = (id: string) => ({ configurable: { thread_id, checkpoint_ns, checkpoint_id: id } })
    return {
      config: configOf(checkpoint_id),
      checkpoint: whole,
      metadata,
      pendingWrites,
      ...(parent_id !== null && { parentConfig: configOf(parent_id) })
    }
  }

  private async channelValues(namespace: string, versions: ChannelVersions): Promise<Record<string, unknown>> {
    const entries = Object.entries(versions)
    if (entries.length === 0) return {}
    const keys = await Promise.all(entries.map(([channel, version]) => channelKey(channel, version)))
    const found = await readMany(
      this.client,
      keys.map(key => ({ namespace, key }))
    )
    const values: Record<string, unknown> = {}
    for (const [at, [channel]] of entries.entries()) {
      const packed = (found[at]?.value as ChannelValue | undefined)?.value ?? null
      if (packed !== null) values[channel] = await unpack(this.serde, packed)
    }
    return values
  }

  private async writesOf(namespace: string, checkpoint_id: string): Promise<WriteValue[]> {
    const writes: WriteValue[] = []
    for await (const value of this.values(namespace, `w/${inverted(checkpoint_id)}/`)) writes.push(value as WriteValue)
    return writes.sort(compareWrites)
  }

  private async pendingWrites(namespace: string, checkpoint_id: string): Promise<CheckpointPendingWrite[]> {
    const writes = await this.writesOf(namespace, checkpoint_id)
    return Promise.all(
      writes.map(async ({ task_id, channel, value }): Promise<CheckpointPendingWrite> => [
        task_id,
        channel,
        await unpack(this.serde, value)
      ])
    )
  }

  /** Before version 4 of checkpoints, what a step sent was kept with the checkpoint before. */
  private async addPendingSends(namespace: string, checkpoint: Checkpoint, parent_id: string): Promise<void> {
    const writes = await this.writesOf(namespace, parent_id)
    const sent = writes.filter(({ channel }) => channel === TASKS)
    checkpoint.channel_values[TASKS] = await Promise.all(sent.map(({ value }) => unpack(this.serde, value)))
    const versions = Object.values(checkpoint.channel_versions)
    checkpoint.channel_versions[TASKS] =
      versions.length > 0 ? maxChannelVersion(...versions) : this.getNextVersion(undefined)
  }
}
