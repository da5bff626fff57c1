import { readdirSync, readFileSync } from 'node:fs'

/** CPU time that a process has used, in milliseconds; undefined on systems other than Linux. */
export function cpuOf(pid: number): number | undefined {
  const stat = statOf(pid)
  return stat === undefined ? undefined : stat.own * TICK_MS
}

/** The same of a PostgreSQL and all processes it has started, including those that have ended. */
export function cpuOfPostgres(pid: number): number | undefined {
  const main = statOf(pid)
  if (main === undefined) return undefined
  let ticks = main.own + main.ended
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = statOf(Number(name))
    if (stat?.parent === pid) ticks += stat.own
  }
  return ticks * TICK_MS
}

/** Length of the kernel's unit of CPU time: the same on every architecture that Node runs on. */
const TICK_MS = 10

function statOf(pid: number): { parent: number; own: number; ended: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The program's name, in parentheses, may hold spaces.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const [, parent = 0] = fields
    return { parent, own: (fields[11] ?? 0) + (fields[12] ?? 0), ended: (fields[13] ?? 0) + (fields[14] ?? 0) }
  } catch {
    return undefined
  }
}

/** Memory that a process holds, in MiB. */
export function memoryOf(pid: number): number | undefined {
  try {
    const found = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
    return found === null ? undefined : Number(found[1]) / 1024
  } catch {
    return undefined
  }
}
