/** Filters of LangGraph's stores: equality, or `{ $gt: 3 }` and the like, on top-level fields of values. */
export type Filter = Record<string, unknown>

const OPERATORS: Record<string, (value: unknown, wanted: unknown) => boolean> = {
  $eq: isSame,
  $ne: (value, wanted) => !isSame(value, wanted),
  $gt: (value, wanted) => order(value, wanted) > 0,
  $gte: (value, wanted) => order(value, wanted) >= 0,
  $lt: (value, wanted) => order(value, wanted) < 0,
  $lte: (value, wanted) => order(value, wanted) <= 0
}

/** The conditions that the service evaluates: those on texts, numbers and booleans. */
export function ofService(filter: Filter): Filter {
  return Object.fromEntries(
    Object.entries(filter).filter(([, wanted]) =>
      isOperators(wanted) ? Object.values(wanted).every(isScalar) : isScalar(wanted)
    )
  )
}

/** Whether a value meets all conditions. @throws TypeError for an operator that there is not */
export function matches(value: Record<string, unknown>, filter: Filter): boolean {
  return Object.entries(filter).every(([field, wanted]) => {
    if (!isOperators(wanted)) return isSame(value[field], wanted)
    return Object.entries(wanted).every(([name, operand]) => {
      const operator = OPERATORS[name]
      if (operator === undefined)
        throw new TypeError(`There is no operator ${name}; there are ${Object.keys(OPERATORS).join(', ')}.`)
      return operator(value[field], operand)
    })
  })
}

function isOperators(wanted: unknown): wanted is Record<string, unknown> {
  return typeof wanted === 'object' && wanted !== null && Object.keys(wanted).some(name => name.startsWith('$'))
}

/** Of null the service and LangGraph think differently where a field is not there. */
function isScalar(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value)
}

function isPlain(value: unknown): boolean {
  return typeof value !== 'object' || value === null
}

/** Numbers are compared with numbers and texts with texts; nothing else is larger or smaller. */
function order(value: unknown, wanted: unknown): number {
  const areNumbers = typeof value === 'number' && typeof wanted === 'number'
  const areTexts = typeof value === 'string' && typeof wanted === 'string'
  if (!areNumbers && !areTexts) return NaN
  return value < wanted ? -1 : value > wanted ? 1 : 0
}

function isSame(value: unknown, wanted: unknown): boolean {
  if (isPlain(value) || isPlain(wanted)) return (value ?? null) === (wanted ?? null)
  if (Array.isArray(value) !== Array.isArray(wanted)) return false
  const [one, other] = [value as Record<string, unknown>, wanted as Record<string, unknown>]
  const names = Object.keys(one)
  return (
    names.length === Object.keys(other).length &&
    names.every(name => Object.hasOwn(other, name) && isSame(one[name], other[name]))
  )
}
