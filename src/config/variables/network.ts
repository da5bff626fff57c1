import { variable } from '../variable.js'
import { hostNames, onOff, origins, proxies, wholeNumber } from '../values.js'

/** Which web pages, host names and proxies may reach the service. */
export const networkVariables = {
  cors_origins: variable(
    'CORS_ORIGINS',
    'Origins of web pages that may call the service, separated by commas; * for any',
    origins,
    '',
    { default_note: 'same origin only' }
  ),
  allowed_hosts: variable(
    'ALLOWED_HOSTS',
    'Host names by which the service may be called, separated by commas; * for any. Protects against DNS rebinding',
    hostNames,
    undefined,
    { default_note: 'loopback names when HOST is loopback, else any' }
  ),
  trust_proxy: variable(
    'TRUST_PROXY',
    'Proxies whose X-Forwarded-For the service believes: true, a number of hops, or addresses separated by commas',
    proxies,
    'false',
    { default_note: 'none' }
  ),
  dashboard: variable(
    'DASHBOARD',
    'on: the service serves its page for people at /app/; off: it does not',
    onOff,
    undefined,
    {
      default_note: 'on; with NODE_ENV=production off'
    }
  ),
  metrics_port: variable('METRICS_PORT', 'Serve /metrics on this port only', wholeNumber(0, 65535), undefined, {
    default_note: 'on PORT'
  })
}
