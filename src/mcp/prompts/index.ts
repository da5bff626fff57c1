import type { FastifyInstance } from 'fastify'
import type { Caller } from '../../kernel/caller.js'
import { AppError } from '../../kernel/errors.js'
import { INVALID_PARAMS, refusal, RpcFailure } from '../failure.js'
import { debugSession } from './debug-session.js'
import { acceptArguments, type Prompt } from './prompt.js'
import { setupCollaboration } from './setup-collaboration.js'

const prompts: Prompt[] = [setupCollaboration, debugSession]

export function createPrompts(app: FastifyInstance) {
  return {
    list: {
      prompts: prompts.map(({ name, title, description, arguments: args }) => ({
        name,
        title,
        description,
        arguments: args
      }))
    },
    async get(name: string, given: unknown, caller: Caller) {
      const prompt = prompts.find(one => one.name === name)
      if (prompt === undefined) {
        const error = new AppError('TOOL_NOT_FOUND', 'There is no prompt of that name.', {
          suggestions: [`The prompts are: ${prompts.map(one => one.name).join(', ')}`]
        })
        throw new RpcFailure(INVALID_PARAMS, error.message, refusal(error, caller.request_id).data)
      }
      const text = await prompt.write(acceptArguments(prompt, given), caller, app)
      return { description: prompt.description, messages: [{ role: 'user', content: { type: 'text', text } }] }
    }
  }
}
