import fp from 'fastify-plugin'
import { createMessageWriter, type MessageWriter } from './store/message-writer.js'
import { addMessage } from './tools/add-message.js'
import { addMessages } from './tools/add-messages.js'
import { deleteMessage } from './tools/delete-message.js'
import { getMessages } from './tools/get-messages.js'
import { setMessageVisibility } from './tools/set-message-visibility.js'

declare module 'fastify' {
  interface FastifyInstance {
    messageWriter: MessageWriter
  }
}

/** Writing and reading messages. */
export const messagesPlugin = fp(
  async (app, { loop_guard }: { loop_guard: number }) => {
    const writer = createMessageWriter(app.database.db, app.quotas, topics => {
      app.kernel.ports.publish(topics)
    })
    app.decorate('messageWriter', writer)
    app.addTool(addMessage(writer, loop_guard))
    app.addTool(addMessages(writer, loop_guard))
    app.addTool(getMessages)
    app.addTool(setMessageVisibility)
    app.addTool(deleteMessage)
  },
  { name: 'messages', dependencies: ['kernel', 'postgres', 'limits', 'sessions'] }
)
