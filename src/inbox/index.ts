import fp from 'fastify-plugin'
import { createWakeUps } from '../feed/wake-ups.js'
import { addressesOf } from '../kernel/addresses.js'
import { inboxTopic } from '../kernel/events.js'
import { acrossWorkspaces } from '../postgres/scope.js'
import { deliveryKey, trackDeliveries } from './store/receipts.js'
import { ackMessages } from './tools/ack-messages.js'
import { ask } from './tools/ask.js'
import { getInbox } from './tools/get-inbox.js'
import { getReceipts } from './tools/get-receipts.js'
import { listAgents } from './tools/list-agents.js'
import { setStatus } from './tools/set-status.js'
import { waitForInbox } from './tools/wait-for-inbox.js'
import { waitForReply } from './tools/wait-for-reply.js'

/** Messages to somebody: inboxes, receipts, questions and answers, and who there is. */
export const inboxPlugin = fp(
  async app => {
    const { db } = app.database
    const { live, waiters, stopping, wakes } = app
    const deliveries = trackDeliveries(acrossWorkspaces(db))
    app.kernel.provide({
      noteDelivered({ workspace, agent_id }, message_ids) {
        for (const message_id of message_ids) {
          const delivery = { workspace, message_id, agent_id }
          deliveries.note(deliveryKey(delivery), { ...delivery, at: performance.now() })
        }
      }
    })
    app.addTool(getInbox(db))
    const wakeUps = createWakeUps({
      ...app.following,
      topicsOf: viewer => addressesOf(viewer).map(name => inboxTopic(viewer.workspace, name))
    })
    app.addTool(waitForInbox({ database: db, wakeUps, live, waiters, stopping }))
    app.addTool(ackMessages)
    app.addTool(getReceipts)
    app.addTool(
      ask({
        ...{ database: db, writer: app.messageWriter, quotas: app.quotas, live, waiters, stopping, wakes },
        publish(topics) {
          app.events.publish(topics)
        }
      })
    )
    app.addTool(waitForReply({ live, waiters, stopping, wakes }))
    app.addTool(listAgents)
    app.addTool(setStatus)
    app.addHook('onClose', () => deliveries.close())
  },
  { name: 'inbox', dependencies: ['kernel', 'postgres', 'limits', 'sessions', 'messages', 'feed'] }
)
