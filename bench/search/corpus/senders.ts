import type { Random } from './random.js'
import type { Vocabulary } from './vocabulary.js'

export interface Sender {
  name: string
  type: string
}

const FIRST = [
  'maria',
  'tom',
  'aisha',
  'jürgen',
  'chen',
  'olga',
  'pedro',
  'ines',
  'kofi',
  'lena',
  'ravi',
  'sofia',
  'noah',
  'yuki',
  'amelie',
  'omar'
]
const CHATTER = ['coordinator', 'planner', 'researcher', 'architect', 'memory-keeper', 'scout']
const REVIEW = ['code-reviewer', 'security-auditor', 'style-checker', 'release-manager', 'test-writer']
const LOGS = ['log-shipper', 'api-gateway', 'payments-svc', 'scheduler', 'edge-proxy', 'metrics-agent']

export function chatterSender(random: Random): Sender {
  if (random.chance(0.55)) return { name: `worker-${random.int(1, 40)}`, type: 'worker' }
  return { name: random.pick(CHATTER), type: 'coordinator' }
}

export function reviewSender(random: Random, words: Vocabulary): Sender {
  if (random.chance(0.4)) return { name: random.pick(REVIEW), type: 'reviewer' }
  const surname = words.names[random.int(0, 30)] as string
  return { name: `${random.pick(FIRST)}.${surname.toLowerCase()}`, type: 'human' }
}

export function logSender(random: Random): Sender {
  return random.chance(0.5)
    ? { name: random.pick(LOGS), type: 'service' }
    : { name: `${random.pick(['ingest', 'billing', 'indexer', 'mailer'])}-${random.int(1, 12)}`, type: 'service' }
}
