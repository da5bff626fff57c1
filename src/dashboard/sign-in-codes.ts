import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const CODE_BYTES = 16
/** Milliseconds that a code is good. */
const GOOD_FOR_MS = 5 * 60_000

/** Codes that sign one person in once. Only their hashes are kept, in this process alone. */
export class SignInCodes {
  private readonly made: Array<{ hash: Buffer; until: number }> = []

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** @returns a new code, of 128 random bits, in base64url */
  make(): string {
    const code = randomBytes(CODE_BYTES).toString('base64url')
    this.made.push({ hash: hashOf(code), until: this.now() + GOOD_FOR_MS })
    return code
  }

  /** @returns whether the code was good; from now on it is not */
  use(code: string): boolean {
    const hash = hashOf(code)
    const at = this.made.findIndex(one => timingSafeEqual(one.hash, hash))
    const [used] = at === -1 ? [] : this.made.splice(at, 1)
    return used !== undefined && this.now() < used.until
  }
}

function hashOf(code: string): Buffer {
  return createHash('sha256').update(code).digest()
}
