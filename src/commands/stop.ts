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

/**
 * On SIGTERM or SIGINT runs the phases in order and exits with 0, or 1 if one failed or took too long; a second signal exits at once.
 * @returns what stops for another reason
 */
export function stopOnSignal (log: StopLog, phases: Phase[]): (reason: string) => void {
  let stopping = false
  const begin = (reason: string) => {
    if (stopping) return
    stopping = true
    void stop(reason, log, phases)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(signal === 'SIGINT' ? 130 : 143)
      begin(signal)
    })
  }
  return begin
}

async function stop (reason: string, log: StopLog, phases: Phase[]): Promise<void> {
  log.info({ reason }, 'stopping')
  let failed = false
  for (const { name, limit_ms, run } of phases) {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>(resolve => { timer = setTimeout(() => { resolve('late') }, limit_ms) })
    try {
      if (await Promise.race([run(), late]) === 'late') {
        failed = true
        log.error({ phase: name, limit_ms }, 'stopping goes on without waiting')
      }
    } catch (error) {
      failed = true
      log.error({ phase: name, type: error instanceof Error ? error.name : typeof error }, 'stopping goes on after a fault')
    } finally {
      clearTimeout(timer)
    }
  }
  log.info({}, 'stopped')
  process.exit(failed ? 1 : 0)
}
