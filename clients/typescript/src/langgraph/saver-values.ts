import type { SerializerProtocol } from '@langchain/langgraph-checkpoint'

/** What the saver keeps in the service's memory: values as LangGraph serialized them, as texts that JSON can hold. */

/** The kind of the serializer, and what it wrote: JSON as it is, anything else in base64. */
export type Packed = [kind: string, text: string]

export interface CheckpointValue {
  thread_id: string
  checkpoint_ns: string
  checkpoint_id: string
  parent_id: string | null
  /** Without its channel values. */
  checkpoint: Packed
  metadata: Packed
}

/** Null: the channel had no value. */
export type ChannelValue = { value: Packed | null }

export interface WriteValue {
  task_id: string
  task_path: string
  index: number
  channel: string
  value: Packed
}

export async function pack(serde: SerializerProtocol, value: unknown): Promise<Packed> {
  const [kind, bytes] = await serde.dumpsTyped(value)
  return [kind, kind === 'json' ? new TextDecoder().decode(bytes) : toBase64(bytes)]
}

export async function unpack<T>(serde: SerializerProtocol, [kind, text]: Packed): Promise<T> {
  return (await serde.loadsTyped(kind, kind === 'json' ? text : fromBase64(text))) as T
}

/** Bytes that one call of String.fromCharCode takes. */
const CHUNK = 0x8000

function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode(...bytes.subarray(at, at + CHUNK))
  return btoa(text)
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), character => character.charCodeAt(0))
}

/** By the path of the task, its id and the number of the write, each by code point, as every saver orders them. */
export function compareWrites(one: WriteValue, other: WriteValue): number {
  return (
    compareTexts(one.task_path, other.task_path) || compareTexts(one.task_id, other.task_id) || one.index - other.index
  )
}

function compareTexts(one: string, other: string): number {
  const [left, right] = [[...one], [...other]]
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const difference = (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}
