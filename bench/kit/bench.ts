import type { Cleanup } from './cleanup.js'
import type { Load } from './load.js'
import type { Postgres } from './postgres.js'
import type { Program } from './program.js'

/** What every measure works with. */
export interface Bench {
  /** The sizes, not the reduced ones. */
  full: boolean
  rounds: number
  /** Of a round. */
  seconds: number
  /** For files of a measure's own. */
  dir: string
  program: Program
  postgres: Postgres
  load: Load
  cleanup: Cleanup
  /** Successful answers so far, by plan. */
  answered: Map<string, number>
  /** Progress, for whoever watches. */
  say: (text: string) => void
}

/** One line of the table. */
export interface Row {
  measure: string
  a: string
  b: string
  ratio: string
  spread: string
  /** What the ratio would be if CPU time alone set both rates, on this machine with nothing beside. */
  by_cpu?: string
  bar: string
  verdict: 'pass' | 'FAIL' | '–' | 'skipped' | 'ERROR'
}

export interface Finding {
  rows: Row[]
  /** Lines below the table. */
  notes: string[]
}

export interface Measure {
  name: string
  /** About how long it takes, with reduced sizes. */
  seconds: number
  run: (bench: Bench) => Promise<Finding>
}
