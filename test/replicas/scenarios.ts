import { administer } from '../support/database.js'
import { fillDisk } from '../support/full-disk.js'
import type { OwnServer } from '../support/own-server.js'
import type { Proxy } from '../support/proxy.js'
import { until } from '../support/rest.js'
import type { Crowd } from './crowd.js'
import type { Fleet } from './fleet.js'
import type { Random } from './random.js'

/** What may strike a service of three replicas. Each takes place under load, and has been put right when it returns. */

export interface Stage {
  fleet: Fleet
  /** Where the replicas look for their database. */
  proxy: Proxy
  primary: OwnServer
  standby: OwnServer
  /** The clients. */
  crowd: Crowd
  random: Random
  /** How long PostgreSQL stands still, and the disk stays full. */
  hold_ms: number
}

export interface Scenario {
  name: string
  /** Why it cannot take place on this machine. */
  impossible?: (stage: Stage) => string | undefined
  strike: (stage: Stage) => Promise<void>
}

const wait = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

export const SCENARIOS: Scenario[] = [
  {
    name: 'kill -9 of each replica in turn',
    async strike({ fleet, random }) {
      const first = random.between(0, fleet.ports.length)
      for (const i of fleet.ports.keys()) {
        const replica = (first + i) % fleet.ports.length
        await fleet.stop(replica, 'SIGKILL')
        await fleet.start(replica)
      }
    }
  },
  {
    name: 'all connections to the database ended',
    async strike({ primary }) {
      await administer(
        primary.url,
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()`
      )
    }
  },
  {
    name: 'PostgreSQL stopped at once, and started',
    async strike({ primary }) {
      await primary.stop('immediate')
      await wait(1000)
      await primary.start()
    }
  },
  {
    name: 'PostgreSQL frozen',
    async strike({ primary, hold_ms }) {
      await primary.freeze()
      await wait(hold_ms)
      await primary.thaw()
    }
  },
  {
    name: 'disk of PostgreSQL full',
    impossible: ({ primary }) => (primary.hasOwnDisk ? undefined : 'it takes root and a file system of its own'),
    async strike({ primary, crowd, hold_ms }) {
      const free = fillDisk(primary.folder)
      // The tables have some room left.
      const flood = crowd.flood(20_000)
      await until('a message finds no room', flood.refused)
      await wait(hold_ms)
      free()
      // If it could not write its log of changes it has ended.
      await primary.start()
      await flood.end()
    }
  },
  {
    name: 'write-ahead log of PostgreSQL full',
    impossible: ({ primary }) => (primary.hasOwnDisk ? undefined : 'it takes root and a file system of its own'),
    async strike({ primary, hold_ms }) {
      const free = fillDisk(primary.folder)
      // Each switch takes a new file, until there is none to be had.
      for (let i = 0; i < 20; i++) {
        const ended = await administer(
          primary.url,
          'create table if not exists filler (n int)',
          'insert into filler values (1)',
          'select pg_switch_wal()'
        ).then(
          () => false,
          () => true
        )
        if (ended) break
      }
      await wait(hold_ms)
      free()
      await primary.start()
      await administer(primary.url, 'drop table if exists filler')
    }
  },
  {
    name: 'rolling restart of three replicas',
    async strike({ fleet }) {
      for (const replica of fleet.ports.keys()) {
        const code = await fleet.stop(replica, 'SIGTERM')
        if (code !== 0) throw new Error(`Replica ${replica} ended with ${code}`)
        await fleet.start(replica)
      }
    }
  },
  {
    // Last: the primary does not come back.
    name: 'failover: the primary ends at once, its standby is promoted',
    async strike(stage) {
      const { primary, standby, proxy } = stage
      // From then on the standby has whatever is acknowledged.
      await administer(primary.url, "alter system set synchronous_standby_names = '*'", 'select pg_reload_conf()')
      await until('the standby follows', async () => {
        const [row] = await administer(primary.url, 'select sync_state from pg_stat_replication')
        return row?.sync_state === 'sync'
      })
      // The checkpointer tells the others to wait for the standby, and in a checkpoint it reads no settings. When a
      // second one is over, it has read them.
      await administer(primary.url, 'checkpoint', 'checkpoint')
      await wait(1000)
      await primary.stop('immediate')
      await standby.promote()
      proxy.target = standby.url
      stage.primary = standby
    }
  }
]
