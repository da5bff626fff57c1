import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { examineNetwork } from '../../src/connect/examine-network.js'
import { makeAuthority } from '../support/certificates.js'
import { temporaryFolder } from '../support/own-server.js'
import { quietPort } from '../support/ports.js'
import { needs } from '../support/programs.js'

/** How far one gets on the way to a server, and what is said where it ends. */

t.test('it ends where nobody listens', async t => {
  const found = await examineNetwork(`http://localhost:${await quietPort()}`)
  t.match(found, [
    { step: 'DNS', ok: true },
    { step: 'TCP', ok: false, says: /Nothing listens/, advice: /npm start/ }
  ])
  t.equal(found.length, 2)
})

t.test('certificates that are not trusted, or for another name', needs('openssl'), async t => {
  const folder = await temporaryFolder(t)
  const { certificate, key } = makeAuthority(folder, 'nobody').sign('localhost')
  const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const [tls] = (await examineNetwork(`https://127.0.0.1:${port}`)).slice(-1)
  t.match(tls, { step: 'TLS', ok: false, says: /UNABLE_TO_VERIFY_LEAF_SIGNATURE/, advice: /certificate/ })
})

t.test('a port that speaks no TLS', async t => {
  const { createServer } = await import('node:http')
  const server = createServer((_request, response) => response.end())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const [tls] = (await examineNetwork(`https://127.0.0.1:${port}`)).slice(-1)
  t.match(tls, { step: 'TLS', ok: false, advice: /speaks no TLS/ })
})
