/**
 * Rules between arguments, as the OpenAPI page says them: the second argument of `input()`. The tool itself checks
 * them. Models are not shown them, because some of their providers refuse such keywords.
 */
export type PageRule = Record<string, unknown>

export function notBoth(one: string, other: string): PageRule {
  return { not: { required: [one, other] } }
}

export function exactlyOne(...names: string[]): PageRule {
  return { oneOf: names.map(name => ({ required: [name] })) }
}

export function atLeastOne(...names: string[]): PageRule {
  return { anyOf: names.map(name => ({ required: [name] })) }
}

/** If an argument has this value, the others must fit `then`, a JSON Schema of the object. */
export function where(name: string, value: string, then: Record<string, unknown>): PageRule {
  return { if: { required: [name], properties: { [name]: { enum: [value] } } }, then }
}

export function all(...rules: PageRule[]): PageRule {
  return { allOf: rules }
}
