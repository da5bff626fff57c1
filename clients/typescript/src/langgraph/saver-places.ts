import type { RunnableConfig } from '@langchain/core/runnables'
import type { SharedContext } from '../client.js'
import { encoded, shortened } from './names.js'

/** Where the saver keeps what: a thread is a namespace, each of its checkpoint namespaces one below it. */

interface Place {
  thread_id: string
  checkpoint_ns: string
}

export async function namespaceOf(root: string, thread_id: string, checkpoint_ns: string): Promise<string> {
  return `${root}/${await shortened(thread_id)}/${await shortened(checkpoint_ns)}`
}

/** The namespaces of what a config names: one, those of a thread, or all. */
export async function* namespacesOf(
  client: SharedContext,
  root: string,
  { configurable = {} }: RunnableConfig
): AsyncGenerator<string> {
  const { thread_id, checkpoint_ns } = configurable as Partial<Place>
  if (thread_id !== undefined && checkpoint_ns !== undefined) {
    yield await namespaceOf(root, thread_id, checkpoint_ns)
    return
  }
  const prefix = thread_id === undefined ? `${root}/` : `${root}/${await shortened(thread_id)}/`
  const end = checkpoint_ns === undefined ? undefined : `/${await shortened(checkpoint_ns)}`
  const depth = root.split('/').length + 2
  for await (const { namespace } of client.each('list_namespaces', { prefix, limit: 500 }))
    if (namespace.split('/').length === depth && (end === undefined || namespace.endsWith(end))) yield namespace
}

/** The key of one version of a channel's value, which later checkpoints share. */
export async function channelKey(channel: string, version: string | number): Promise<string> {
  return `b/${await shortened(channel)}/${encoded(String(version))}`
}

/** @throws TypeError if the config names no thread */
export function placeOf({ configurable = {} }: RunnableConfig): Place {
  const { thread_id, checkpoint_ns = '' } = configurable as Partial<Place>
  if (thread_id === undefined)
    throw new TypeError('A checkpointer needs config.configurable.thread_id: it says whose state it keeps.')
  return { thread_id, checkpoint_ns }
}
