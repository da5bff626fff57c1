import { AppError } from './errors.js'
import { parseTime } from './time.js'

/**
 * A range of time from checked arguments, both ends included; a date as end_time includes its whole day. @throws
 * AppError INVALID_DATETIME where it ends before it starts
 */
export function timeRange<S extends string | undefined, E extends string | undefined>(start_time: S, end_time: E) {
  const start = start_time === undefined ? undefined : parseTime(start_time, 'start')
  const end = end_time === undefined ? undefined : parseTime(end_time, 'end')
  if (start !== undefined && end !== undefined && end < start) {
    throw new AppError('INVALID_DATETIME', 'The time range ends before it starts.', {
      context: { argument: 'end_time', given: 'a time before start_time', allowed: 'start_time or later' },
      suggestions: ['Exchange start_time and end_time']
    })
  }
  return { start, end } as {
    start: S extends string ? string : string | undefined
    end: E extends string ? string : string | undefined
  }
}
