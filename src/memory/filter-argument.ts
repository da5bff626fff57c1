import { Type } from '@sinclair/typebox'
import { AppError } from '../kernel/errors.js'
import { isObject } from '../kernel/json.js'
import { objectInString } from '../kernel/metadata-shapes.js'
import { Allowed, Checked, Repair } from '../kernel/schema.js'
import { characters } from '../kernel/text.js'
import { COMPARISONS, type Comparison, type Condition } from './store/memory-filter.js'

const CONDITIONS_MAX = 20
const FIELD_MAX = 255
const TEXT_MAX = 1000

export const Filter = Type.Optional(
  Checked<Record<string, unknown>>(
    {
      type: 'object',
      additionalProperties: true,
      maxProperties: CONDITIONS_MAX,
      description: 'Fields of object values, as {"n":{"$gte":3}}; also $eq $ne $gt $lt $lte'
    },
    isObject,
    { [Repair]: objectInString, [Allowed]: 'an object such as {"state": "open", "n": {"$gte": 3}}' }
  )
)

/** The conditions that a filter stands for. @throws AppError INVALID_INPUT that says what is wrong with it */
export function conditionsOf(filter: Record<string, unknown>): Condition[] {
  const conditions = Object.entries(filter).flatMap(([field, asked]) => {
    if (characters(field) > FIELD_MAX)
      throw wrongFilter('a long name of a field', `names of at most ${FIELD_MAX} characters`)
    return isComparisons(asked) ? comparisonsOf(field, asked) : [{ field, is: '$eq' as const, than: asked }]
  })
  if (conditions.length > CONDITIONS_MAX)
    throw wrongFilter(`${conditions.length} conditions`, `at most ${CONDITIONS_MAX} conditions`)
  for (const { than } of conditions)
    if (JSON.stringify(than).length > TEXT_MAX)
      throw wrongFilter('a long value to compare with', `values of at most ${TEXT_MAX} characters as JSON`)
  return conditions
}

/** An object with a name that begins with a dollar sign is no value to compare with. */
function isComparisons(asked: unknown): asked is Record<string, unknown> {
  return isObject(asked) && Object.keys(asked).some(name => name.startsWith('$'))
}

function comparisonsOf(field: string, asked: Record<string, unknown>): Condition[] {
  return Object.entries(asked).map(([is, than]) => {
    if (!(COMPARISONS as readonly string[]).includes(is))
      throw wrongFilter('an unknown comparison', `one of ${COMPARISONS.join(', ')}`)
    if (is !== '$eq' && is !== '$ne' && typeof than !== 'number' && typeof than !== 'string')
      throw wrongFilter(`${is} with something else`, `${is} with a number or a text`)
    return { field, is: is as Comparison, than }
  })
}

function wrongFilter(given: string, allowed: string): AppError {
  return new AppError('INVALID_INPUT', "The argument 'filter' cannot be used.", {
    context: { argument: 'filter', given, allowed },
    suggestions: ['Write it like {"state": "open", "priority": {"$gte": 3}}']
  })
}
