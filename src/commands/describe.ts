import pino from 'pino'
import { type App, buildApp } from '../app.js'
import { loadConfig } from '../config/config.js'
import { connect } from '../postgres/connect.js'

/**
 * The service with its tools and routes, for reading what it offers. It is never made ready, so it connects to nothing.
 */
export async function describeService(): Promise<App> {
  const database = connect({
    url: 'postgres://nobody@127.0.0.1:1/none',
    max: 1,
    connect_timeout_ms: 1,
    statement_timeout_ms: 1,
    application_name: 'description',
    onIdleError: () => {}
  })
  return buildApp({
    config: loadConfig({}),
    database,
    jwt_secrets: ['-'.repeat(32)],
    replica: 'description',
    logger: pino({ level: 'silent' })
  })
}
