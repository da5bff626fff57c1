import type { Log } from '../kernel/log.js'

/** One step of a shutdown. If it exceeds its time limit, the next step starts without waiting for it. */
export interface Phase {
  name: string
  limit_ms: number
  run: () => Promise<void>
}

export interface Signals {
  /** Whether a signal has come. */
  isStopRequested: () => boolean
  /**
   * Throws an error that came before the program was ready; but where a signal came first, that is why the program
   * ends: it exits with the signal's code.
   */
  endStart: (error: unknown) => never
  /** Sets what a signal does besides being remembered. It happens at once if a signal has already come. */
  onStop: (stop: (exit_code: number) => void) => void
  /**
   * Sets the phases that a signal starts. They start at once if a signal has already come.
   * @returns a function that starts them for another reason
   */
  shutDownWith: (log: Pick<Log, 'info' | 'error'>, phases: Phase[]) => (reason: string) => void
}

const EXIT_CODES = { SIGTERM: 143, SIGINT: 130, SIGHUP: 129 }

/**
 * Handles SIGTERM, SIGINT and SIGHUP. A signal during startup takes effect when startup ends, so that nothing it has
 * started, such as a PostgreSQL, is left running. Then the phases run in order and the program exits: with 0, or with 1
 * if a phase failed or exceeded its limit. A second signal exits at once.
 */
export function handleSignals(): Signals {
  let reason: string | undefined
  let exit_code: number | undefined
  let start: ((reason: string) => void) | undefined
  for (const [signal, code] of Object.entries(EXIT_CODES)) {
    process.on(signal, () => {
      if (reason !== undefined) process.exit(code)
      reason = signal
      exit_code = code
      start?.(signal)
    })
  }
  function onReason(run: (reason: string) => void): void {
    start = run
    if (reason !== undefined) run(reason)
  }
  return {
    isStopRequested: () => exit_code !== undefined,
    endStart(error) {
      if (exit_code === undefined) throw error
      process.stderr.write('Stopped before it was ready.\n')
      process.exit(exit_code)
    },
    onStop(stop) {
      onReason(() => {
        stop(exit_code ?? 1)
      })
    },
    shutDownWith(log, phases) {
      onReason(why => {
        void runPhases(why, log, phases)
      })
      return why => {
        if (reason !== undefined) return
        reason = why
        start?.(why)
      }
    }
  }
}

async function runPhases(reason: string, log: Pick<Log, 'info' | 'error'>, phases: Phase[]): Promise<void> {
  log.info({ reason }, 'stopping')
  let failed = false
  for (const { name, limit_ms, run } of phases) {
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<'late'>(resolve => {
      timer = setTimeout(() => {
        resolve('late')
      }, limit_ms)
    })
    try {
      if ((await Promise.race([run(), timeout])) === 'late') {
        failed = true
        log.error({ phase: name, limit_ms }, 'shutdown phase exceeded its time limit; continuing')
      }
    } catch (error) {
      failed = true
      log.error(
        { phase: name, type: error instanceof Error ? error.name : typeof error },
        'shutdown phase failed; continuing'
      )
    } finally {
      clearTimeout(timer)
    }
  }
  log.info({}, 'stopped')
  process.exit(failed ? 1 : 0)
}
