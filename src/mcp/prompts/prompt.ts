import type { FastifyInstance } from 'fastify'
import type { Caller } from '../../kernel/caller.js'
import { AppError } from '../../kernel/errors.js'
import { refuseUnstorable } from '../../kernel/json.js'
import { characters, cleanText } from '../../kernel/text.js'

/** A message to begin with, made for a person who picks it from a menu. */
export interface Prompt {
  name: string
  title: string
  description: string
  arguments: PromptArgument[]
  /** The text of the one message. @throws RpcFailure or AppError */
  write: (given: Record<string, string>, caller: Caller, app: FastifyInstance) => Promise<string>
}

export interface PromptArgument {
  name: string
  description: string
  required: boolean
}

const ARGUMENT_MAX = 1000

/** Arguments of a prompt are strings; an empty one counts as not given. @throws AppError INVALID_INPUT */
export function acceptArguments(prompt: Prompt, raw: unknown): Record<string, string> {
  const given = (raw ?? {}) as Record<string, unknown>
  const names = prompt.arguments.map(argument => argument.name)
  refuseUnstorable(given)
  for (const name of Object.keys(given)) {
    if (!names.includes(name))
      throw invalidArgument('There is no such argument.', [...name].slice(0, 60).join(''), `one of ${names.join(', ')}`)
  }
  const accepted: Record<string, string> = {}
  for (const { name, required, description } of prompt.arguments) {
    const value = given[name] ?? ''
    if (typeof value !== 'string' || characters(value) > ARGUMENT_MAX)
      throw invalidArgument(
        `The argument '${name}' is not a text of at most ${ARGUMENT_MAX} characters.`,
        name,
        `a string of at most ${ARGUMENT_MAX} characters`
      )
    const text = cleanText(value)
    if (text !== '') accepted[name] = text
    else if (required) throw invalidArgument(`The argument '${name}' is missing.`, name, description)
  }
  return accepted
}

function invalidArgument(message: string, argument: string, allowed: string): AppError {
  return new AppError('INVALID_INPUT', message, { context: { argument, allowed } })
}
