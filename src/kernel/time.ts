const DATE = /^(\d{4})-(\d{2})-(\d{2})$/
const DATE_TIME = /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(Z|z|[+-]\d{2}:?\d{2})?$/

/**
 * An ISO-8601 date or date-time as UTC with milliseconds; without an offset it is UTC. A date alone is its first
 * moment, or its last where it ends a range.
 * @returns undefined for anything else, also for a day or an hour that does not exist
 */
export function parseTime(text: string, end: 'start' | 'end' = 'start'): string | undefined {
  const day = DATE.exec(text)
  if (day !== null) {
    if (!dayExists(day)) return undefined
    return `${text}${end === 'start' ? 'T00:00:00.000Z' : 'T23:59:59.999Z'}`
  }
  const parts = DATE_TIME.exec(text)
  if (parts === null || !dayExists(parts)) return undefined
  const [, year, month, date, hour, minute, second = '00', fraction = '', offset = 'Z'] = parts
  const zone = /^[Zz]$/.test(offset) ? 'Z' : `${offset.slice(0, 3)}:${offset.slice(-2)}`
  const time = new Date(
    `${year}-${month}-${date}T${hour}:${minute}:${second}.${fraction.padEnd(3, '0').slice(0, 3)}${zone}`
  )
  // PostgreSQL and ISO texts agree on four-digit years only; an offset can lead out of them.
  return Number.isNaN(time.getTime()) || time.getUTCFullYear() < 1 || time.getUTCFullYear() > 9999
    ? undefined
    : time.toISOString()
}

function dayExists(parts: RegExpExecArray): boolean {
  const [year, month, date] = [Number(parts[1]), Number(parts[2]), Number(parts[3])]
  if (year < 1 || month < 1 || month > 12 || date < 1) return false
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  return date <= (days[month - 1] as number)
}
