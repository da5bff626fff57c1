import { answerOf, inputOf, type Operation, pascal, type Schema, wrapped } from './schema.js'

/**
 * The objects of the page as TypedDicts: an answer stays the dict that the server sent, so fields of a newer server are
 * there too. One shape gets one name, wherever it stands.
 */
export interface Models {
  /**
   * The Python type of a schema.
   * @param name what an object in it is called, if it has no name yet
   * @param owner what stands before that name if another shape has it
   */
  typeOf: (schema: Schema, name: string, owner: string) => string
  /** The classes by their names, those that others need first. */
  classes: ReadonlyMap<string, string>
}

const PRIMITIVES: Record<string, string> = {
  string: 'str',
  integer: 'int',
  number: 'float',
  boolean: 'bool',
  null: 'None'
}
/** Names that say more than those of the fields in which the objects stand. */
const RENAMED: Partial<Record<string, string>> = {
  AcquireLeaseLease: 'HeldLease',
  Addressed: 'Addressee',
  BatchMemoryEntry: 'MemoryKey',
  BatchMemoryResult: 'OperationResult',
  Entry: 'MemoryEntry',
  Example: 'GuidanceExample',
  Fault: 'AuditFault',
  GetAuditLogEntry: 'AuditEntry',
  GetInboxMessage: 'InboxMessage',
  GetPerformanceMetricsTool: 'ToolMetrics',
  History: 'TaskStep',
  Key: 'ApiKey',
  LastHead: 'AuditHead',
  Lease: 'TaskLease',
  ListLeasesLease: 'ListedLease',
  Present: 'PresentAgent',
  ReleaseLeaseLeaseInput: 'ReleasedLeaseInput',
  Result: 'SearchResult',
  SearchMemoryResult: 'MemoryResult',
  Term: 'SearchTerm',
  Tool: 'GuidanceTool',
  Version: 'MemoryVersion'
}
/** Names of fields that Python keeps for itself. */
const KEYWORDS = new Set(['from', 'class', 'global', 'import', 'in', 'is', 'not', 'or', 'and', 'pass', 'with'])

/** @param named shapes that have a name of their own */
export function createModels(named: ReadonlyArray<readonly [name: string, schema: Schema]>): Models {
  const names = new Map<string, string>()
  const classes = new Map<string, string>()
  const shapes = new Map<string, string>(named.map(([name, schema]) => [shapeOf(schema), name]))

  function typeOf(schema: Schema, name: string, owner: string): string {
    if (schema.enum !== undefined) return `Literal[${schema.enum.map(python).join(', ')}]`
    if (schema.anyOf !== undefined && schema.type === undefined) {
      // Any JSON value is written as all of its kinds.
      if (schema.anyOf.some(each => each.type === 'object' && each.properties === undefined)) return 'Any'
      return [...new Set(schema.anyOf.map(each => typeOf(each, name, owner)))].join(' | ')
    }
    if (schema.type === 'array') return `list[${typeOf(schema.items ?? {}, singular(name), owner)}]`
    if (schema.type === 'object')
      return schema.properties === undefined ? 'dict[str, Any]' : classOf(schema, name, owner)
    return PRIMITIVES[schema.type ?? ''] ?? 'Any'
  }

  function classOf(schema: Schema, wanted: string, owner: string): string {
    const shape = shapeOf(schema)
    const known = names.get(shape)
    if (known !== undefined) return known
    const name = shapes.get(shape) ?? free(wanted, owner)
    names.set(shape, name)
    const fields = Object.entries(schema.properties ?? {}).map(([field, inner]) => ({
      field,
      type: typeOf(inner, pascal(field), owner),
      words: inner.description,
      required: schema.required?.includes(field) === true
    }))
    classes.set(name, classText(name, schema.description, fields))
    return name
  }

  function free(wanted: string, owner: string): string {
    const taken = new Set([...names.values(), ...shapes.values()])
    for (const name of [wanted, `${owner}${wanted}`]) {
      const given = RENAMED[name] ?? name
      if (!taken.has(given)) return given
    }
    throw new Error(`Two shapes would be called ${owner}${wanted}`)
  }

  return { typeOf, classes }
}

interface Field {
  field: string
  type: string
  words: string | undefined
  required: boolean
}

/**
 * Fields that may be missing are in a class of their own: `NotRequired` of `typing` needs Python 3.11. A name that
 * Python keeps for itself can only stand in the form with a dict.
 */
function classText(name: string, words: string | undefined, fields: Field[]): string {
  const needed = fields.filter(({ required }) => required)
  const optional = fields.filter(({ required }) => !required)
  const docstring = words === undefined ? [] : [`    """${words}"""`, '']
  if (fields.some(({ field }) => KEYWORDS.has(field))) {
    if (optional.length > 0) throw new Error(`${name}: a keyword beside fields that may be missing`)
    const lines = needed.map(({ field, type }) => `        "${field}": ${type},`)
    return [`${name} = TypedDict(`, `    "${name}",`, '    {', ...lines, '    },', ')'].join('\n')
  }
  if (optional.length === 0) return [`class ${name}(TypedDict):`, ...docstring, ...fieldLines(needed)].join('\n')
  if (needed.length === 0)
    return [`class ${name}(TypedDict, total=False):`, ...docstring, ...fieldLines(optional)].join('\n')
  return [
    `class _${name}(TypedDict):`,
    ...fieldLines(needed),
    '',
    '',
    `class ${name}(_${name}, total=False):`,
    ...docstring,
    ...fieldLines(optional)
  ].join('\n')
}

function fieldLines(fields: Field[]): string[] {
  return fields.flatMap(({ field, type, words }) => [
    ...(words === undefined ? [] : wrapped(words, 110).map(line => `    # ${line}`)),
    `    ${field}: ${type}`
  ])
}

/** What two schemas have in common if they are the same shape: everything but their words. */
function shapeOf(schema: Schema): string {
  return JSON.stringify(schema, (key, value: unknown) =>
    key === 'description' && typeof value === 'string' ? undefined : value
  )
}

function python(value: string | number | boolean): string {
  return typeof value === 'boolean' ? (value ? 'True' : 'False') : JSON.stringify(value)
}

/** `Messages` → `Message`, `MessagesInput` → `MessageInput` */
function singular(name: string): string {
  if (name.endsWith('Input')) return `${singular(name.slice(0, -5))}Input`
  if (name.endsWith('ies')) return `${name.slice(0, -3)}y`
  return name.endsWith('s') ? name.slice(0, -1) : name
}

/** The Python types of one tool: of its answer, of each argument, and of the items where it is a list in pages. */
export interface Types {
  answer: string
  arguments: ReadonlyMap<string, string>
  list: { field: string; item: string } | undefined
}

export function typesOf(operation: Operation, { typeOf }: Models): Types {
  const owner = pascal(operation.operationId)
  const { properties: taken = {} } = inputOf(operation)
  const { properties: answered = {} } = answerOf(operation)
  const answer = typeOf(answerOf(operation), `${owner}Answer`, owner)
  const types = Object.entries(taken).map(
    ([name, schema]) => [name, typeOf(schema, `${pascal(name)}Input`, owner)] as const
  )
  // A tool that takes a cursor and answers with the next one is a list; one that waits is not.
  const field = Object.keys(answered).find(name => answered[name]?.type === 'array')
  const isList = field !== undefined && 'cursor' in taken && 'next_cursor' in answered
  const list = isList
    ? { field, item: typeOf(answered[field]?.items ?? {}, singular(pascal(field)), owner) }
    : undefined
  return { answer, arguments: new Map(types), list }
}
