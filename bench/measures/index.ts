import type { Measure } from '../kit/bench.js'
import { addMessage } from './add-message.js'
import { asks } from './asks.js'
import { audit } from './audit.js'
import { auditChain } from './audit-chain.js'
import { capacity } from './capacity.js'
import { claimWake } from './claim-wake.js'
import { coldStart } from './cold-start.js'
import { getMemory } from './get-memory.js'
import { getMessages } from './get-messages.js'
import { hotSession } from './hot-session.js'
import { ladder } from './ladder.js'
import { limits } from './limits.js'
import { mcp } from './mcp.js'
import { memory } from './memory.js'
import { mixed } from './mixed.js'
import { readMessages } from './read-messages.js'
import { older } from './older.js'
import { pgbench } from './pgbench.js'
import { tasks } from './tasks.js'
import { telemetry } from './telemetry.js'
import { wall } from './wall.js'
import { watched } from './watched.js'

/** In the order of the table. */
export const measures: Measure[] = [
  { name: 'add-message', seconds: 25, run: addMessage },
  { name: 'pgbench', seconds: 45, run: pgbench },
  { name: 'mcp', seconds: 35, run: mcp },
  { name: 'hot-session', seconds: 30, run: hotSession },
  { name: 'get-messages', seconds: 30, run: getMessages },
  { name: 'read-messages', seconds: 40, run: readMessages },
  { name: 'get-memory', seconds: 20, run: getMemory },
  { name: 'memory', seconds: 60, run: memory },
  { name: 'tasks', seconds: 50, run: tasks },
  { name: 'claim-wake', seconds: 20, run: claimWake },
  { name: 'asks', seconds: 60, run: asks },
  { name: 'audit', seconds: 60, run: audit },
  { name: 'mixed', seconds: 90, run: mixed },
  { name: 'cold-start', seconds: 25, run: coldStart },
  { name: 'ladder', seconds: 40, run: ladder },
  { name: 'wall', seconds: 60, run: wall },
  { name: 'audit-chain', seconds: 30, run: auditChain },
  { name: 'limits', seconds: 50, run: limits },
  { name: 'telemetry', seconds: 50, run: telemetry },
  { name: 'watched', seconds: 30, run: watched },
  { name: 'capacity', seconds: 80, run: capacity },
  { name: 'older', seconds: 150, run: older }
]
