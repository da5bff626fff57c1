import { isUnavailable, type Outcome } from './agent.js'

/** What clients saw while one thing struck: from then until the next did. Times are by performance.now(). */
export interface Window {
  name: string
  struck_at: number
  /** When the fault had been put right. */
  mended_at: number
  until: number
}

const WRITES = ['add_message', 'add_messages', 'set_message_visibility']

export interface Figures {
  name: string
  calls: number
  refused: number
  broken: number
  /** The longest time in which no write of anybody succeeded. */
  gap_ms: number
  /** From when the fault was put right to the first write that succeeded afterwards. */
  first_ms: number
}

export function figuresOf({ name, struck_at, mended_at, until }: Window, outcomes: readonly Outcome[]): Figures {
  const within = outcomes.filter(({ at }) => at >= struck_at && at < until)
  const writes = within.filter(({ tool, what }) => what === 'success' && WRITES.includes(tool)).map(({ at }) => at)
  const count = (is: (what: string) => boolean) => within.filter(({ what }) => is(what)).length
  const times = [struck_at, ...writes]
  return {
    name,
    calls: within.length,
    refused: count(isUnavailable),
    broken: count(what => what.startsWith('broken') || what === 'refused by the proxy'),
    gap_ms: Math.max(...writes.map((at, i) => at - (times[i] as number)), 0),
    first_ms: (writes.find(at => at > mended_at) ?? Infinity) - mended_at
  }
}

/** A table of Markdown: for each name the sums of its rounds, and the longest of its times. */
export function tableOf(rounds: readonly Figures[]): string {
  const names = [...new Set(rounds.map(({ name }) => name))]
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  const rows = names.map(name => {
    const of = rounds.filter(round => round.name === name)
    const sum = (pick: (round: Figures) => number) => of.reduce((all, round) => all + pick(round), 0)
    const most = (pick: (round: Figures) => number) => seconds(Math.max(...of.map(pick)))
    return [
      name,
      sum(({ calls }) => calls),
      sum(({ refused }) => refused),
      sum(({ broken }) => broken),
      most(({ gap_ms }) => gap_ms),
      most(({ first_ms }) => first_ms)
    ]
  })
  const head = ['what happens', 'calls', '503', 'broken', 'longest without a write', 'first write after it is over']
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}
