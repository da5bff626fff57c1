import type { Cleanup } from './cleanup.js'
import type { Load } from './load.js'
import type { Postgres } from './postgres.js'
import type { Program } from './program.js'

/** What a measure gets. */
export interface Bench {
  /** Whether to use the full sizes; false: reduced ones. */
  full: boolean
  rounds: number
  /** Length of a round. */
  seconds: number
  /** The folder for a measure's files. */
  dir: string
  program: Program
  /** Another commit's service, compiled, to measure against. */
  old: Program | undefined
  postgres: Postgres
  load: Load
  cleanup: Cleanup
  /** Counts the successful answers of each plan so far. */
  answered: Map<string, number>
  /** Prints progress. */
  say: (text: string) => void
}

/** One line of the table. */
export interface Row {
  measure: string
  a: string
  b: string
  ratio: string
  spread: string
  /** The ratio that CPU time alone would give, if nothing else ran on this machine. */
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
  /** About how long it takes with reduced sizes. */
  seconds: number
  run: (bench: Bench) => Promise<Finding>
}
