/**
 * What JSON Schemas must not have, so that every client and every model vendor takes them. AutoGen loads none of the
 * tools if one property has no type. OpenAI (without `strict`) refuses arrays without items, unions at the top and
 * descriptions of tools longer than 1024 characters. Gemini knows no `const`, only strings in an `enum`, only
 * `date-time` as a `format` of strings, and refuses a `required` name without its property. Anthropic takes names of
 * arguments by a pattern. Several converters break on a list of types, or drop `patternProperties` and `default`.
 */
export interface Schema {
  type?: unknown
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  items?: Schema
  additionalProperties?: boolean | Schema
  description?: unknown
  enum?: unknown[]
  [keyword: string]: unknown
}

const TYPES = ['string', 'integer', 'number', 'boolean', 'array', 'object', 'null']
const REFUSED = [
  'patternProperties',
  'const',
  'oneOf',
  'allOf',
  'not',
  'if',
  'then',
  'else',
  '$ref',
  '$id',
  '$defs',
  'definitions',
  'nullable',
  'title',
  'prefixItems',
  'propertyNames',
  'dependentRequired',
  'dependentSchemas',
  'unevaluatedProperties',
  'contains',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'uniqueItems',
  'contentMediaType',
  'examples'
]
/** Of OpenAI and Anthropic. */
const TOOL_NAME = /^[a-zA-Z0-9_-]{1,64}$/
const ARGUMENT_NAME = /^[a-zA-Z0-9_.-]{1,64}$/
const DESCRIPTION_MAX = 1024
/** No vendor takes look-around in a pattern. */
const LOOK_AROUND = /\(\?[=!<]/
/** The arguments that may be of several types. */
const UNIONS = ['value', 'payload', 'metadata', 'result']

/** The faults of a tool's name and description. */
export function toolFaults({ name, description }: { name: string; description: string }): string[] {
  return [
    ...(TOOL_NAME.test(name) ? [] : [`${name} is no name of a tool`]),
    ...(description.length > 20 && description.length <= DESCRIPTION_MAX ? [] : [`${name}: the description's length`])
  ]
}

/** The faults of a tool's whole input, whose arguments must be described as well. */
export function inputFaults(schema: Schema, at: string): string[] {
  return [...outputFaults(schema, at), ...undescribed(schema, at), ...inputRules(schema, at)]
}

/** The faults of a tool's whole answer. */
export function outputFaults(schema: Schema, at: string): string[] {
  return [
    ...(schema.type === 'object' ? [] : [`${at} is no object`]),
    ...('anyOf' in schema ? [`${at} is a union`] : []),
    ...schemaFaults(schema, at)
  ]
}

/** The faults of any schema, at any depth. */
export function schemaFaults(schema: Schema, at: string): string[] {
  return [
    ...REFUSED.filter(keyword => keyword in schema).map(keyword => `${at} has ${keyword}`),
    ...typeFaults(schema, at),
    ...wordFaults(schema, at),
    ...inside(schema).flatMap(([name, inner]) => schemaFaults(inner, `${at}/${name}`))
  ]
}

function typeFaults({ type, anyOf, items, properties, additionalProperties }: Schema, at: string): string[] {
  if (Array.isArray(type)) return [`${at} has a list of types`]
  if (anyOf !== undefined) {
    return [
      ...(type === undefined ? [] : [`${at} has a type and a union`]),
      ...(anyOf.length > 1 ? [] : [`${at} is a union of one`])
    ]
  }
  if (!TYPES.includes(type as string)) return [`${at} has no type`]
  if (type === 'array' && items === undefined) return [`${at} has no items`]
  const open = type === 'object' && properties === undefined && additionalProperties === undefined
  return open ? [`${at} says nothing of its properties`] : []
}

function wordFaults({ enum: words, format, pattern, properties = {}, required = [] }: Schema, at: string): string[] {
  return [
    ...(words === undefined || words.length > 0 ? [] : [`${at} has an empty enum`]),
    ...(format === undefined || format === 'date-time' ? [] : [`${at} has a format other than date-time`]),
    ...(typeof pattern === 'string' && LOOK_AROUND.test(pattern) ? [`${at} has a pattern with look-around`] : []),
    ...(required as string[])
      .filter(name => !(name in properties))
      .map(name => `${at} requires ${name}, which it does not have`)
  ]
}

const STRINGS = { type: 'string' }

/** The schemas directly inside one. An array that is one of several types may have items of any kind. */
function inside({
  properties = {},
  anyOf = [],
  items,
  additionalProperties: more
}: Schema): Array<[name: string, schema: Schema]> {
  return [
    ...Object.entries(properties),
    ...anyOf.map((branch, i): [string, Schema] => [
      `anyOf/${i}`,
      isAnyArray(branch) ? { ...branch, items: STRINGS } : branch
    ]),
    ...(items === undefined ? [] : [['items', items] as [string, Schema]]),
    ...(typeof more === 'object' && Object.keys(more).length > 0
      ? [['additionalProperties', more] as [string, Schema]]
      : [])
  ]
}

function isAnyArray({ type, items }: Schema): boolean {
  return type === 'array' && items !== undefined && Object.keys(items).length === 0
}

function undescribed({ properties = {}, items }: Schema, at: string): string[] {
  return [
    ...Object.entries(properties).flatMap(([name, inner]) => [
      ...(typeof inner.description === 'string' && inner.description.length > 4
        ? []
        : [`${at}/${name} is not described`]),
      ...(inner.default === undefined || String(inner.description).includes(`(default ${wordsOf(inner.default)})`)
        ? []
        : [`${at}/${name} does not say its default`]),
      ...undescribed(inner, `${at}/${name}`)
    ]),
    ...(items === undefined ? [] : undescribed(items, `${at}/items`))
  ]
}

function wordsOf(value: unknown): string {
  return Array.isArray(value) ? value.join(' and ') : String(value)
}

function inputRules({ enum: words = [], properties = {}, items }: Schema, at: string): string[] {
  return [
    ...(words.every(word => typeof word === 'string') ? [] : [`${at} has an enum of other things than strings`]),
    ...Object.entries(properties).flatMap(([name, inner]) => [
      ...('anyOf' in inner && !UNIONS.includes(name) ? [`${at}/${name} is a union`] : []),
      ...(name === 'metadata' && !isObjectOrText(inner) ? [`${at}/${name} is not an object or text`] : []),
      ...(ARGUMENT_NAME.test(name) ? [] : [`${at}/${name} is no name of an argument`]),
      ...inputRules(inner, `${at}/${name}`)
    ]),
    ...(items === undefined ? [] : inputRules(items, `${at}/items`))
  ]
}

/** Models send metadata as JSON text too. */
function isObjectOrText({ anyOf = [] }: Schema): boolean {
  return anyOf.map(({ type }) => type).join() === 'object,string'
}
