import { randomUUID } from 'node:crypto'
import fp from 'fastify-plugin'
import { trackWaits } from '../agents/store/waits.js'
import type { Events } from '../kernel/events.js'
import { addGauge, addLabelledGauge } from '../kernel/metrics.js'
import { ConcurrencyLimit, createSemaphore } from '../kernel/semaphore.js'
import { acrossWorkspaces } from '../postgres/scope.js'
import { followSessions } from './follow-sessions.js'
import { followWorkspaces, type WorkspaceLive } from './follow-workspaces.js'
import type { FollowOptions } from './followers.js'
import type { Live } from './live.js'
import { deliveryPace } from './pace.js'
import { type Notify, openNotify } from './store/notify.js'
import { markRead } from './tools/mark-read.js'
import { waitForMessages } from './tools/wait-for-messages.js'
import { measureWakes, type Wakes } from './wakes.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Hints about changes, to and from every replica. */
    events: Events
    /** How this replica hears of changes. */
    hintsMode: () => 'listen' | 'poll'
    /** What it takes to follow something else than sessions. */
    following: FollowOptions
    /** Follows sessions as they grow. */
    live: Live
    /** Bounds the calls that wait at the same time. */
    waiters: ConcurrencyLimit
    /** Measures how fast those who wait get their messages. */
    wakes: Wakes
    /** Follows workspaces as their sessions grow. */
    workspaceLive: WorkspaceLive
  }
}

export interface FeedOptions {
  waiters_max: number
  waiters_per_agent_max: number
  database_pool_max: number
}

/** Order and waking: the change feed, those who follow it, waits and read cursors. */
export const feedPlugin = fp(
  async (app, { waiters_max, waiters_per_agent_max, database_pool_max }: FeedOptions) => {
    const { db, watch, client, max_age_ms } = app.database
    // Connects when the app is ready.
    let notify: Notify | undefined
    const events: Events = {
      publish: topics => notify?.publish(topics),
      subscribe(topic, wake) {
        if (notify === undefined) throw new Error('The app is not ready.')
        return notify.subscribe(topic, wake)
      }
    }
    const deps = {
      db,
      events,
      tokens: app.verifiers.tokens,
      stopping: app.stopping,
      readings: createSemaphore(Math.max(1, Math.floor(database_pool_max / 2))),
      pace: deliveryPace()
    }
    const live = followSessions({
      ...deps,
      onFault: error => {
        app.logFault(error, 'session not read for those who wait')
      }
    })
    const workspaceLive = followWorkspaces({
      ...deps,
      onFault: error => {
        app.logFault(error, 'workspace not read for its streams')
      }
    })
    const waits = trackWaits(acrossWorkspaces(db), `${app.about.replica} ${randomUUID()}`, error => {
      app.logFault(error, 'not written who waits')
    })
    const waiters = new ConcurrencyLimit({
      max: waiters_max,
      per_agent: waiters_per_agent_max,
      what: 'calls that wait',
      onTaken(agent) {
        const ended = waits.begin(agent)
        const span = app.kernel.ports.tracing?.part('wait', {})
        return () => {
          ended()
          span?.end()
        }
      }
    })
    app.decorate('events', events)
    app.decorate('hintsMode', () => notify?.mode() ?? 'poll')
    app.decorate('following', {
      ...deps,
      // Its own, so that those who are told of messages do not wait for it.
      pace: deliveryPace(),
      onFault: error => {
        app.logFault(error, 'not looked for those who wait')
      }
    })
    app.decorate('live', live)
    app.decorate('waiters', waiters)
    app.decorate('workspaceLive', workspaceLive)
    app.decorate('wakes', measureWakes(app.metrics, app.databaseNow))
    app.kernel.provide({ publish: events.publish })
    app.addTool(waitForMessages({ live, waiters, stopping: app.stopping, wakes: app.wakes }))
    app.addTool(markRead)

    const { metrics } = app
    addGauge(
      metrics,
      'waiters',
      'Calls of wait_for_messages that wait on this replica; they are not in flight.',
      () => waiters.taken
    )
    addGauge(metrics, 'waiters_max', 'Most calls that may wait on this replica (WAITERS_MAX).', () => waiters_max)
    addGauge(
      metrics,
      'followed_sessions',
      'Sessions that somebody waits for on this replica.',
      () => live.counts().sessions
    )
    addGauge(
      metrics,
      'followers',
      'Calls and streams that follow a session on this replica.',
      () => live.counts().followers
    )
    addLabelledGauge(
      metrics,
      'event_hints_mode',
      'How this replica hears of changes: 1 for listen (notifications arrive) or for poll (they do not, and the ' +
        'database is asked every 250 ms).',
      'mode',
      ['listen', 'poll'],
      mode => Number(app.hintsMode() === mode)
    )
    app.addHook('onReady', async () => {
      notify = openNotify({ client, max_age_ms, db: acrossWorkspaces(watch), log: app.log })
    })
    app.addHook('onClose', async () => {
      await Promise.all([notify?.close(), waits.close()])
    })
  },
  { name: 'feed', dependencies: ['kernel', 'postgres', 'limits', 'agents', 'messages'] }
)
