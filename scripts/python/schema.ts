/** The JSON Schema of the OpenAPI page, as far as it uses it. */
export interface Schema {
  type?: string
  description?: string
  enum?: ReadonlyArray<string | number | boolean>
  anyOf?: readonly Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: readonly string[]
  default?: unknown
}

export interface Operation {
  operationId: string
  summary: string
  description: string
  requestBody: { content: { 'application/json': { schema: Schema } } }
  responses: { 200: { content: { 'application/json': { schema: Schema } } } }
}

export type Paths = Record<string, { post?: Operation }>

/** The tools of the page, in its order. */
export function operationsOf(paths: Paths): Operation[] {
  return Object.values(paths).flatMap(({ post }) => post ?? [])
}

export function inputOf(operation: Operation): Schema {
  return operation.requestBody.content['application/json'].schema
}

export function answerOf(operation: Operation): Schema {
  return operation.responses[200].content['application/json'].schema
}

/** `get_memory` → `GetMemory` */
export function pascal(name: string): string {
  return name.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** Words of a description as lines of a comment or docstring of at most `width` characters. */
export function wrapped(words: string, width: number): string[] {
  const lines: string[] = []
  for (const word of words.split(/\s+/).filter(Boolean)) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}
