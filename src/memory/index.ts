import fp from 'fastify-plugin'
import { createMemoryReader } from './store/memory.js'
import { deleteMemory } from './tools/delete-memory.js'
import { getMemory } from './tools/get-memory.js'
import { listMemory } from './tools/list-memory.js'
import { setMemory } from './tools/set-memory.js'

/** What an agent remembers. */
export const memoryPlugin = fp(
  async app => {
    app.addTool(setMemory(app.quotas))
    app.addTool(getMemory(createMemoryReader(app.database.db)))
    app.addTool(listMemory)
    app.addTool(deleteMemory)
  },
  { name: 'memory', dependencies: ['kernel', 'postgres', 'limits', 'sessions'] }
)
