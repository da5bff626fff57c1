/** One step of stopping. What is not done in time is left, and the next step follows. */
export interface Phase {
  name: string
  limit_ms: number
  run: () => Promise<void>
}

interface StopLog {
  info: (fields: Record<string, unknown>, message: string) => void
  error: (fields: Record<string, unknown>, message: string) => void
}

export interface Signals {
  /** Whether somebody has asked to stop. */
  asked: () => boolean
  /**
   * From now on these phases stop the program, at once if it has been asked meanwhile. @returns what stops it for
   * another reason
   */
  stopWith: (log: StopLog, phases: Phase[]) => (reason: string) => void
}

/**
 * Listens for SIGTERM, SIGINT and SIGHUP from the first moment: one that comes during the start waits until the start
 * has ended, so that nothing it has begun, such as a PostgreSQL, is left running. Then the phases run in order, and the
 * program exits with 0, or 1 if one failed or took too long. A second signal exits at once.
 */
export function expectSignals(): Signals {
  let reason: string | undefined
  let begin: ((reason: string) => void) | undefined
  for (const [signal, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129]
  ] as const) {
    process.on(signal, () => {
      if (reason !== undefined) process.exit(code)
      reason = signal
      begin?.(signal)
    })
  }
  return {
    asked: () => reason !== undefined,
    stopWith(log, phases) {
      begin = why => {
        void stop(why, log, phases)
      }
      if (reason !== undefined) begin(reason)
      return why => {
        if (reason !== undefined) return
        reason = why
        begin?.(why)
      }
    }
  }
}

async function stop(reason: string, log: StopLog, phases: Phase[]): Promise<void> {
  log.info({ reason }, 'stopping')
  let failed = false
  for (const { name, limit_ms, run } of phases) {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>(resolve => {
      timer = setTimeout(() => {
        resolve('late')
      }, limit_ms)
    })
    try {
      if ((await Promise.race([run(), late])) === 'late') {
        failed = true
        log.error({ phase: name, limit_ms }, 'stopping goes on without waiting')
      }
    } catch (error) {
      failed = true
      log.error(
        { phase: name, type: error instanceof Error ? error.name : typeof error },
        'stopping goes on after a fault'
      )
    } finally {
      clearTimeout(timer)
    }
  }
  log.info({}, 'stopped')
  process.exit(failed ? 1 : 0)
}
