/**
 * A check of a value against the JSON Schema that clients are shown: just the keywords our pages use, and nothing
 * beyond the properties that are declared. Written out rather than taken from TypeBox, so that it tests what is
 * published.
 */
export interface JsonSchema {
  type?: string
  const?: unknown
  enum?: unknown[]
  format?: string
  minItems?: number
  maxItems?: number
  maxProperties?: number
  minLength?: number
  maxLength?: number
  pattern?: string
  minimum?: number
  maximum?: number
  items?: JsonSchema
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  propertyNames?: JsonSchema
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean | JsonSchema
  [other: string]: unknown
}

const KEYWORDS = new Set([
  'type',
  'const',
  'enum',
  'format',
  'minItems',
  'maxItems',
  'maxProperties',
  'propertyNames',
  'oneOf',
  'minLength',
  'maxLength',
  'pattern',
  'minimum',
  'maximum',
  'default',
  'items',
  'anyOf',
  'properties',
  'required',
  'additionalProperties',
  'description'
])
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** @returns what is wrong, a line each */
export function faults(schema: JsonSchema, value: unknown, at = ''): string[] {
  const unread = Object.keys(schema).filter(keyword => !KEYWORDS.has(keyword))
  if (unread.length > 0) return [`${at}: the test does not know the keywords ${unread.join(', ')}`]
  const branches = schema.anyOf ?? schema.oneOf
  if (branches !== undefined) {
    const tried = branches.map(one => faults({ type: schema.type, ...one }, value, at))
    const fitting = tried.filter(found => found.length === 0).length
    if (fitting === 0) return tried.flat()
    if (schema.oneOf !== undefined && fitting > 1) return [`${at}: several branches of oneOf fit`]
    if (schema.type === undefined) return []
  }
  if ('const' in schema && value !== schema.const)
    return [`${at}: ${JSON.stringify(value)} is not ${JSON.stringify(schema.const)}`]
  if (schema.enum !== undefined && !schema.enum.includes(value))
    return [`${at}: ${JSON.stringify(value)} is not in the enum`]
  if (
    schema.type !== undefined &&
    typeOf(value) !== schema.type &&
    !(schema.type === 'number' && typeOf(value) === 'integer')
  ) {
    return [`${at}: ${typeOf(value)} instead of ${schema.type}`]
  }
  if (schema.format === 'date-time' && !TIME.test(String(value)))
    return [`${at}: '${String(value)}' is not UTC with milliseconds`]
  if (!isWithin(schema, value)) return [`${at}: ${JSON.stringify(value)} is beyond the bounds of its schema`]
  if (Array.isArray(value)) {
    return [...value.flatMap((item, i) => faults(schema.items ?? {}, item, `${at}/${i}`))]
  }
  if (schema.type !== 'object') return []
  const given = value as Record<string, unknown>
  const open = openTo(schema)
  return [
    ...Object.keys(given).flatMap(name => faults(schema.propertyNames ?? {}, name, `${at}/${name}`)),
    ...(schema.required ?? []).filter(name => !(name in given)).map(name => `${at}/${name}: missing`),
    ...Object.entries(given).flatMap(([name, inner]) => {
      const of = schema.properties?.[name] ?? open
      return of === undefined ? [`${at}/${name}: not in the schema`] : faults(of, inner, `${at}/${name}`)
    })
  ]
}

function isWithin(schema: JsonSchema, value: unknown): boolean {
  const between = (size: number, least = -Infinity, most = Infinity) => size >= least && size <= most
  if (typeof value === 'number') return between(value, schema.minimum, schema.maximum)
  if (typeof value === 'string')
    return (
      between([...value].length, schema.minLength, schema.maxLength) &&
      (schema.pattern === undefined || new RegExp(schema.pattern, 'u').test(value))
    )
  if (Array.isArray(value)) return between(value.length, schema.minItems, schema.maxItems)
  return typeof value !== 'object' || value === null || between(Object.keys(value).length, 0, schema.maxProperties)
}

/** What the properties that are not declared must be; undefined where there must be none. */
function openTo({
  properties,
  additionalProperties: more = properties === undefined
}: JsonSchema): JsonSchema | undefined {
  if (typeof more !== 'boolean') return more
  return more ? {} : undefined
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}
