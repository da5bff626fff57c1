/** What the load generator is told, and what it answers. */

/** One connection, and the requests that it sends again and again, in this order. */
export interface Sender {
  port: number
  requests: string[]
}

export interface Plan {
  senders: Sender[]
  /** A text that the body of every success contains. */
  expect: string
  /** What later requests of a connection take from its earlier answers. They then start with the first request. */
  slots?: Slot[]
}

export interface Slot {
  /** The text in requests that stands for it, at least as long as what it stands for. */
  text: string
  /** A regular expression whose first group is what an answer holds of it. */
  find: string
}

export type Order =
  | { do: 'prepare'; plan: string; is: Plan }
  | { do: 'run'; plan: string; seconds: number }
  | { do: 'forget'; plan: string }

export interface Result {
  seconds: number
  /** Successes within the time. */
  ok: number
  /** Successes after the time, of requests sent within it. */
  late: number
  /** Answers of status 2xx that are no success. */
  failed: number
  /** Answers of another status. */
  refused: number
  /** Connections that broke, or that answered something else than HTTP. */
  broken: number
  /** The first answer that was no success. */
  sample?: string
  p50_ms: number
  p99_ms: number
  max_ms: number
  /** CPU time of this process, user and system. */
  cpu_ms: number
}
