import { randomBytes } from 'node:crypto'

/** Stands in printed JSON for a JsonText. Random, so that nothing a client sends can hold it. */
const MARK = randomBytes(16).toString('base64url')

/** The texts that the `stringify` under way has met. */
let met: string[] | undefined

/**
 * A value whose JSON is known already, such as rows that PostgreSQL has printed: it goes into an answer as it is,
 * instead of being parsed and printed again.
 */
export class JsonText {
  /**
   * @param text valid JSON
   * @param to_viewer the ids of messages in it that are addressed to whom the answer is for
   */
  constructor(
    readonly text: string,
    readonly to_viewer: readonly number[] = []
  ) {}

  /** The mark for `stringify`, and the value for everybody else who prints it. */
  toJSON(): unknown {
    if (met === undefined) return JSON.parse(this.text) as unknown
    met.push(this.text)
    return MARK
  }
}

/** JSON.stringify that puts each JsonText into its place without parsing it. */
export function stringify(value: unknown): string {
  if (value instanceof JsonText) return value.text
  const texts: string[] = (met = [])
  let json: string
  try {
    json = JSON.stringify(value)
  } finally {
    met = undefined
  }
  if (texts.length === 0) return json
  const between = json.split(`"${MARK}"`)
  return between.map((text, i) => text + (texts[i] ?? '')).join('')
}
