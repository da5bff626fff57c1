/**
 * The service without row-level security: its statements are not told for which workspace they run, nor
 * run as a role of their own, but as the superuser who logs in, for whom no policy holds.
 */
import pg from 'pg'

const url = new URL(process.env.DATABASE_URL as string)
// For the views, which hold their condition for everybody.
url.searchParams.set('options', '-c scs.workspace=*')
process.env.DATABASE_URL = url.href

interface Told {
  prefix?: Array<{ text: string }>
}
const { query } = pg.Client.prototype as unknown as { query: (...args: unknown[]) => unknown }
Object.assign(pg.Client.prototype, {
  query(this: pg.Client, given: Told, ...more: unknown[]) {
    if (given.prefix !== undefined) given.prefix = given.prefix.filter(({ text }) => !text.includes('set_config'))
    return query.call(this, given, ...more)
  }
})
const { serve } = await import('../../src/commands/serve.js')
await serve()
