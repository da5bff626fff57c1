import fp from 'fastify-plugin'
import { addLabelledCounter } from '../kernel/metrics.js'
import type { Redact } from '../kernel/text-arguments.js'
import { KIND_NAMES } from './kinds.js'
import type { RedactionMode } from './redact.js'
import { redactorOf } from './redactor.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Looks for secrets in what is written; undefined if nobody wants that. */
    redact: Redact | undefined
  }
}

/** What agents write is looked through for secrets before it goes anywhere. */
export const redactionPlugin = fp(
  async (app, { redaction }: { redaction: RedactionMode | 'off' }) => {
    const count = addLabelledCounter(
      app.metrics,
      'secrets_found_total',
      'What looked like a secret in what agents wrote through this replica, by its kind; with REDACTION.',
      'kind',
      KIND_NAMES
    )
    const redact = redactorOf(redaction, count)
    app.decorate('redact', redact)
    app.kernel.provide({ redact })
  },
  { name: 'redaction', dependencies: ['kernel'] }
)
