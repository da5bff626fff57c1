import { variable } from '../variable.js'
import {
  anyText,
  databaseUrl,
  host,
  JWT_SECRET_MIN,
  onOff,
  secret,
  SECRET_MIN,
  secrets,
  wholeNumber
} from '../values.js'

/** Where the service listens, where its data are, and its keys. */
export const storageVariables = {
  host: variable('HOST', 'Address to listen on; 0.0.0.0 for all', host, '127.0.0.1'),
  port: variable('PORT', 'Port to listen on; HTTP_PORT is accepted too', wholeNumber(0, 65535), '23456', {
    alias: 'HTTP_PORT'
  }),
  database_url: variable(
    'DATABASE_URL',
    'PostgreSQL 15 or later, as postgres://user:password@host:5432/database, with the parameters of libpq: ' +
      'docs/operations.md, TLS to the database. Unset: the service runs its own PostgreSQL in DATA_DIR',
    databaseUrl,
    undefined,
    { secret: true, default_note: 'embedded' }
  ),
  migration_database_url: variable(
    'MIGRATION_DATABASE_URL',
    'The same database with the login that owns the tables. Migrations use it; ' +
      'DATABASE_URL is then a login that owns nothing',
    databaseUrl,
    undefined,
    { secret: true, default_note: '`DATABASE_URL`' }
  ),
  database_listen_url: variable(
    'DATABASE_LISTEN_URL',
    "The database's direct address, not the pooler's. The service listens there for changes. Behind a pooler and " +
      'without it, each replica asks the database four times a second',
    databaseUrl,
    undefined,
    { secret: true, default_note: '`DATABASE_URL`' }
  ),
  data_dir: variable('DATA_DIR', 'Folder of the embedded PostgreSQL and of the generated keys', anyText, undefined, {
    default_note: "`./data` in a checkout, else a folder of the user's (docs/operations.md, Install)"
  }),
  api_key: variable(
    'API_KEY',
    'The shared key: grants read and write to any agent. Required with DATABASE_URL, unless SHARED_API_KEY=off',
    secret(SECRET_MIN),
    undefined,
    { secret: true, default_note: 'generated, without DATABASE_URL' }
  ),
  admin_api_key: variable('ADMIN_API_KEY', 'The shared key that grants admin too', secret(SECRET_MIN), undefined, {
    secret: true,
    default_note: 'generated, without DATABASE_URL; else none'
  }),
  shared_api_key: variable(
    'SHARED_API_KEY',
    'off: the service refuses API_KEY, ADMIN_API_KEY and tokens made with them, ' +
      'and takes only keys of create_api_key. The command `keys create` makes the first one',
    onOff,
    'on'
  ),
  jwt_secret_key: variable(
    'JWT_SECRET_KEY',
    `Secret that signs tokens, at least ${JWT_SECRET_MIN} characters, the same on every replica. Several, ` +
      'separated by commas or spaces: the first signs, all verify. Required with DATABASE_URL',
    secrets(JWT_SECRET_MIN),
    undefined,
    { secret: true, default_note: 'generated, without DATABASE_URL' }
  ),
  audit_hmac_keys: variable(
    'AUDIT_HMAC_KEY',
    `Key of the audit chain, at least ${JWT_SECRET_MIN} characters, the same on every replica and different ` +
      'from every other key. Several, separated by commas: the first signs, all verify. Unset: no chain',
    secrets(JWT_SECRET_MIN),
    undefined,
    { secret: true, default_note: 'generated, without DATABASE_URL; else none' }
  ),
  audit_head_file: variable(
    'AUDIT_HEAD_FILE',
    'File to which the service appends each signed head of the audit chain, for audit verify --heads. ' +
      'Keep a copy on another machine',
    anyText,
    undefined,
    { default_note: 'only in the log' }
  )
}
