import fp from 'fastify-plugin'
import { createMemoryReader } from './store/memory-reader.js'
import { createMemoryWriter } from './store/memory-writer.js'
import { batchMemory } from './tools/batch-memory.js'
import { deleteMemory } from './tools/delete-memory.js'
import { getMemory } from './tools/get-memory.js'
import { listMemory } from './tools/list-memory.js'
import { listNamespaces } from './tools/list-namespaces.js'
import { memoryHistory } from './tools/memory-history.js'
import { setMemory } from './tools/set-memory.js'
import { setNamespace } from './tools/set-namespace.js'
import { updateMemory } from './tools/update-memory.js'

interface MemoryOptions {
  memory_value_limit: number
}

/** What an agent remembers, and what agents share. */
export const memoryPlugin = fp(
  async (app, { memory_value_limit }: MemoryOptions) => {
    const { db } = app.database
    const reader = createMemoryReader(db)
    app.addTool(setMemory(createMemoryWriter(db, app.quotas), memory_value_limit))
    app.addTool(getMemory(reader))
    app.addTool(listMemory)
    app.addTool(deleteMemory)
    app.addTool(updateMemory(app.quotas, memory_value_limit))
    app.addTool(batchMemory(app.quotas, memory_value_limit))
    app.addTool(memoryHistory(reader))
    app.addTool(setNamespace(app.quotas))
    app.addTool(listNamespaces)
  },
  { name: 'memory', dependencies: ['kernel', 'postgres', 'limits', 'sessions'] }
)
