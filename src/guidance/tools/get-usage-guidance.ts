import { Type } from '@sinclair/typebox'
import { PERMISSIONS } from '../../kernel/agent.js'
import { ObjectOf, OneOf } from '../../kernel/schema.js'
import { defineTool } from '../../kernel/tool.js'
import { guide, TOPICS } from '../guidance.js'
import { AnyObject } from '../../kernel/answer-shapes.js'
import { input, output } from '../../kernel/shapes.js'
import type { Tool } from '../../kernel/tool.js'

/** @param tools asked for at each call: all of them are known once the app is built */
export const getUsageGuidance = (tools: () => readonly Tool[]) =>
  defineTool({
    name: 'get_usage_guidance',
    title: 'How to use this server',
    description: 'What you can do here and how, with examples; also before authentication.',
    permission: 'none',
    effect: 'reads',
    commits: 'none',
    input: input({ guidance_type: Type.Optional(OneOf(TOPICS, { default: 'operations', description: 'The topic' })) }),
    output: output({
      access_level: Type.String({ description: 'none, read, write or admin' }),
      agent_info: Type.Union([
        Type.Object({ agent_id: Type.String(), agent_type: Type.String(), permissions: Type.Array(Type.String()) }),
        Type.Null()
      ]),
      guidance: Type.Object({
        topic: Type.String(),
        advice: Type.Array(Type.String()),
        tools: Type.Array(Type.Object({ name: Type.String(), title: Type.String() }), {
          description: 'What you may call'
        }),
        errors: Type.Optional(ObjectOf(Type.String()))
      }),
      examples: Type.Array(Type.Object({ tool: Type.String(), arguments: AnyObject, purpose: Type.String() }))
    }),
    async handler({ guidance_type = 'operations' }, { agent }) {
      const highest =
        agent === null
          ? 'none'
          : ([...PERMISSIONS].reverse().find(permission => agent.permissions.includes(permission)) ?? 'none')
      const agent_info =
        agent === null
          ? null
          : { agent_id: agent.agent_id, agent_type: agent.agent_type, permissions: [...agent.permissions] }
      return { access_level: highest, agent_info, ...guide(guidance_type, agent, tools()) }
    }
  })
