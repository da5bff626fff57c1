import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { API_KEY } from '../helper.js'
import { startFleet } from '../replicas/fleet.js'
import { createRandom, seedOf } from '../replicas/random.js'
import { createDatabase } from '../support/cluster.js'

/**
 * Fifty agents hold and give up names on three replicas, which are killed. A checker goes through what they recorded:
 * never two holders of one name at one time, and tokens that only grow. AGENTS and SEED change it.
 */

const SEED = seedOf()
const AGENTS = Number(process.env.AGENTS ?? 50)
/** It goes on until there is something to check, within these bounds. */
const RUN_MS = 12_000
const RUN_MAX_MS = 120_000
const TTL_SECONDS = 2
const NAMES = Array.from({ length: 12 }, (_, i) => `file-${i}`)

/** For how long an agent was sure to hold a name: from its answer on, until it gave it up or the lease ended. */
interface Held {
  name: string
  token: number
  agent_id: string
  from: number
  until: number
}

t.test(`never two holders, SEED=${SEED}`, async t => {
  const { url, drop } = await createDatabase()
  t.teardown(drop)
  const fleet = await startFleet(t, url)
  const { between, chance, pick, fork } = createRandom(SEED)
  const history: Held[] = []
  const counts = { taken: 0, held: 0, waited: 0, broken: 0, abandoned: 0, killed: 0 }
  const began = Date.now()
  const goesOn = () => {
    const ms = Date.now() - began
    const isEnough = counts.taken > 200 && counts.abandoned > 0 && counts.killed > 0
    return ms < RUN_MS || (!isEnough && ms < RUN_MAX_MS)
  }

  async function agent(agent_id: string, random: ReturnType<typeof fork>): Promise<void> {
    const call = async (tool: string, args: object): Promise<any> => {
      const response = await fetch(`${fleet.urls[random.between(0, 3)]}/mcp/tool/${tool}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': API_KEY, 'x-agent-id': agent_id },
        body: JSON.stringify(args),
        signal: AbortSignal.timeout(10_000)
      })
      return response.json()
    }
    while (goesOn()) {
      const names = [...new Set(Array.from({ length: random.between(1, 4) }, () => random.pick(NAMES)))]
      const wait_seconds = random.chance(0.5) ? 1 : 0
      const answer = await call('acquire_lease', { names, ttl_seconds: TTL_SECONDS, wait_seconds }).catch(() => ({}))
      const from = Date.now()
      if (answer.success !== true) {
        counts[answer.code === 'LEASE_HELD' ? 'held' : 'broken']++
        await sleep(random.between(5, 50))
        continue
      }
      counts.taken++
      if (wait_seconds > 0) counts.waited++
      const leases = answer.leases as Array<{ name: string; token: number; expires_at: string }>
      await sleep(random.between(1, 60))
      const until = random.chance(0.05) ? Infinity : Date.now()
      for (const { name, token, expires_at } of leases)
        history.push({ name, token, agent_id, from, until: Math.min(until, Date.parse(expires_at)) })
      // An agent that dies holds its names until the leases end.
      if (until === Infinity) counts.abandoned++
      else await call('release_lease', { leases: leases.map(({ name, token }) => ({ name, token })) }).catch(() => {})
    }
  }

  async function killer(): Promise<void> {
    while (goesOn() && (counts.killed === 0 || Date.now() - began < RUN_MS - 3000)) {
      await sleep(between(1000, 2000))
      const replica = pick([0, 1, 2])
      counts.killed++
      await fleet.stop(replica, 'SIGKILL')
      if (chance(0.5)) await sleep(200)
      await fleet.start(replica)
    }
  }

  await Promise.all([killer(), ...Array.from({ length: AGENTS }, (_, i) => agent(`agent-${i}`, fork()))])
  t.comment(JSON.stringify(counts))
  t.ok(counts.taken > 50 && counts.killed > 0 && counts.abandoned > 0, 'there was something to check')
  t.same(new Set(history.map(({ name, token }) => `${name} ${token}`)).size, history.length, 'no token twice')
  for (const name of NAMES) {
    const of = history.filter(held => held.name === name).sort((a, b) => a.token - b.token)
    t.same(
      of.filter((held, i) => i > 0 && held.from < (of[i - 1] as Held).until),
      [],
      `${name}: ${of.length} holders, one after the other, in the order of their tokens`
    )
  }
})
