import type { Measure } from '../kit/bench.js'
import { addMessage } from './add-message.js'
import { audit } from './audit.js'
import { auditChain } from './audit-chain.js'
import { coldStart } from './cold-start.js'
import { getMemory } from './get-memory.js'
import { getMessages } from './get-messages.js'
import { hotSession } from './hot-session.js'
import { ladder } from './ladder.js'
import { limits } from './limits.js'
import { mcp } from './mcp.js'
import { mixed } from './mixed.js'
import { pgbench } from './pgbench.js'
import { wall } from './wall.js'

/** In the order of the table. */
export const measures: Measure[] = [
  { name: 'add-message', seconds: 45, run: addMessage },
  { name: 'pgbench', seconds: 60, run: pgbench },
  { name: 'mcp', seconds: 60, run: mcp },
  { name: 'hot-session', seconds: 45, run: hotSession },
  { name: 'get-messages', seconds: 60, run: getMessages },
  { name: 'get-memory', seconds: 35, run: getMemory },
  { name: 'wall', seconds: 75, run: wall },
  { name: 'audit', seconds: 75, run: audit },
  { name: 'limits', seconds: 45, run: limits },
  { name: 'audit-chain', seconds: 45, run: auditChain },
  { name: 'mixed', seconds: 100, run: mixed },
  { name: 'cold-start', seconds: 40, run: coldStart },
  { name: 'ladder', seconds: 60, run: ladder }
]
