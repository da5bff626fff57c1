import { lookup } from 'node:dns/promises'
import { isIP, connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type Finding, fault, fine } from './finding.js'

/** Milliseconds for each step. */
const LIMIT_MS = 5000

/** Finds out step by step how far one gets on the way to a server: name, connection, encryption. It ends at a fault. */
export async function examineNetwork(url: string): Promise<Finding[]> {
  const { hostname, port, protocol } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const number = Number(port === '' ? (protocol === 'https:' ? 443 : 80) : port)
  const findings: Finding[] = []
  if (isIP(host) === 0) {
    const named = await resolveName(host)
    findings.push(named)
    if (!named.ok) return findings
  }
  const connected = await tryTcp(host, number)
  findings.push(connected)
  if (connected.ok && protocol === 'https:') findings.push(await tryTls(host, number))
  return findings
}

async function resolveName(host: string): Promise<Finding> {
  try {
    const found = await lookup(host, { all: true })
    return fine('DNS', `${host} is ${found.map(({ address }) => address).join(', ')}`)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return fault('DNS', `There is no address for ${host} (${code}).`, 'Check the name in --url, and your network.')
  }
}

async function tryTcp(host: string, port: number): Promise<Finding> {
  const code = await new Promise<string | undefined>(resolve => {
    const socket = connectTcp({ host, port, timeout: LIMIT_MS })
    const end = (code?: string) => {
      socket.destroy()
      resolve(code)
    }
    socket.once('connect', () => {
      end()
    })
    socket.once('timeout', () => {
      end('TIMEOUT')
    })
    socket.once('error', (error: NodeJS.ErrnoException & { errors?: NodeJS.ErrnoException[] }) => {
      end(error.code ?? error.errors?.[0]?.code ?? 'unknown')
    })
  })
  const place = `${host} port ${port}`
  if (code === undefined) return fine('TCP', `${place} takes connections`)
  return code === 'ECONNREFUSED'
    ? fault('TCP', `Nothing listens at ${place}.`, 'Start the server (npm start), or check the port in --url.')
    : fault('TCP', `No connection to ${place} (${code}).`, 'Check the network, and whether a firewall is between.')
}

/** Faults of certificates that have a remedy of their own. */
const REMEDIES: Record<string, string> = {
  CERT_HAS_EXPIRED: 'Renew the certificate of the server.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'Set NODE_EXTRA_CA_CERTS to the file of your own certificate authority.',
  SELF_SIGNED_CERT_IN_CHAIN: 'Set NODE_EXTRA_CA_CERTS to the file of your own certificate authority.',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'Let the server send the certificates between its own and the authority too.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Use a name in --url that the certificate is for.',
  EPROTO: 'That port speaks no TLS: use http:// in --url, or another port.'
}

async function tryTls(host: string, port: number): Promise<Finding> {
  return new Promise(resolve => {
    const socket = connectTls({ host, port, timeout: LIMIT_MS, ...(isIP(host) === 0 && { servername: host }) })
    const end = (finding: Finding) => {
      socket.destroy()
      resolve(finding)
    }
    socket.once('secureConnect', () => {
      const { valid_to } = socket.getPeerCertificate()
      end(fine('TLS', `${socket.getProtocol()}, the certificate is good until ${new Date(valid_to).toISOString()}`))
    })
    socket.once('timeout', () => {
      end(fault('TLS', 'The server does not answer in TLS.', REMEDIES.EPROTO as string))
    })
    socket.once('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => {
      const remedy = REMEDIES[code.startsWith('ERR_SSL') ? 'EPROTO' : code] ?? 'Check the certificate of the server.'
      end(fault('TLS', `The encryption fails (${code}).`, remedy))
    })
  })
}
