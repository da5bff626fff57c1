import type { Plan, Slot } from './plan.js'

/** A plan whose requests are bytes. */
export interface Ready {
  senders: Array<{ port: number; requests: Encoded[] }>
  expect: Buffer
  finds: RegExp[]
}

export interface Encoded {
  bytes: Buffer
  /** Where each slot is, and how long. */
  slots: Array<{ slot: number; at: number; length: number }>
}

export function readyFrom({ senders, expect, slots = [] }: Plan): Ready {
  return {
    senders: senders.map(({ port, requests }) => ({ port, requests: requests.map(text => encode(text, slots)) })),
    expect: Buffer.from(expect),
    finds: slots.map(({ find }) => new RegExp(find))
  }
}

function encode(request: string, slots: Slot[]): Encoded {
  const bytes = Buffer.from(request)
  return {
    bytes,
    slots: slots
      .map(({ text }, slot) => ({ slot, at: bytes.indexOf(text), length: text.length }))
      .filter(({ at }) => at >= 0)
  }
}

/** Keeps what an answer holds for later requests of its connection. */
export function keep(finds: readonly RegExp[], answer: Buffer, kept: string[]): void {
  if (finds.length === 0) return
  const text = answer.toString('latin1')
  for (const [slot, find] of finds.entries()) kept[slot] = find.exec(text)?.[1] ?? kept[slot] ?? ''
}

/** The bytes to send, with what earlier answers have held. Spaces are nothing between the values of JSON. */
export function filled({ bytes, slots }: Encoded, kept: readonly string[]): Buffer {
  for (const { slot, at, length } of slots) bytes.write((kept[slot] ?? '').padEnd(length), at, 'latin1')
  return bytes
}
