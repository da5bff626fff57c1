import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mustFind } from './programs.js'

/** Files of a certificate and its key. */
export interface Certificate {
  certificate: string
  key: string
}

/** An authority, made by openssl in a folder. */
export interface Authority extends Certificate {
  /**
   * Signs a certificate for a host or a user.
   * @param days from now on; below 0 it has expired
   */
  sign: (name: string, days?: number) => Certificate
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

export function makeAuthority(folder: string, name: string): Authority {
  const openssl = (...args: string[]) => execFileSync(mustFind('openssl'), args, { cwd: folder, stdio: 'pipe' })
  const file = (of: string, kind: string) => join(folder, `${name}-${of}.${kind}`)
  const own = { certificate: file('authority', 'crt'), key: file('authority', 'key') }
  openssl(
    'req',
    '-x509',
    ...NEW_KEY,
    '-keyout',
    own.key,
    '-out',
    own.certificate,
    '-subj',
    `/CN=${name}`,
    '-days',
    '30'
  )
  return {
    ...own,
    sign(of, days = 30) {
      const made = { certificate: file(`${of}${days}`, 'crt'), key: file(`${of}${days}`, 'key') }
      const [request, names] = [file(of, 'csr'), file(of, 'ext')]
      openssl('req', ...NEW_KEY, '-keyout', made.key, '-out', request, '-subj', `/CN=${of}`)
      writeFileSync(names, `subjectAltName=DNS:${of}\n`)
      const by = ['-CA', own.certificate, '-CAkey', own.key, '-CAcreateserial']
      const args = ['-days', String(days), '-extfile', names, '-out', made.certificate]
      openssl('x509', '-req', '-in', request, ...by, ...args)
      return made
    }
  }
}
