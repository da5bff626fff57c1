/**
 * Values the server chooses: the model takes each as it comes the first time, and holds the server to it from then on.
 */
export class Learned {
  value: any

  constructor(
    private readonly isGood: (value: any) => boolean,
    readonly what: string
  ) {}

  accepts(actual: unknown): boolean {
    if (this.value === undefined) {
      if (!this.isGood(actual)) return false
      this.value = actual
    }
    return this.value === actual
  }
}

/** Something that is not foreseen, but must hold. */
export class Holds {
  constructor(
    readonly isGood: (value: any) => boolean,
    readonly what: string
  ) {}
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

export function aTime(): Learned {
  return new Learned(value => typeof value === 'string' && TIME.test(value), 'a time')
}

/** Where an answer differs from what was expected, a line each. */
export function differences(expected: any, actual: any, at = ''): string[] {
  const told = (what: string) => [
    `${at === '' ? 'the answer' : at}: expected ${what}, got ${JSON.stringify(actual)?.slice(0, 300)}`
  ]
  if (expected instanceof Learned)
    return expected.accepts(actual)
      ? []
      : told(expected.value === undefined ? expected.what : `${JSON.stringify(expected.value)} as before`)
  if (expected instanceof Holds) return expected.isGood(actual) ? [] : told(expected.what)
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return told('an array')
    if (actual.length !== expected.length) return told(`${expected.length} items`)
    return expected.flatMap((item, i) => differences(item, actual[i], `${at}/${i}`))
  }
  if (typeof expected === 'object' && expected !== null) {
    if (typeof actual !== 'object' || actual === null || Array.isArray(actual)) return told('an object')
    const names = Object.keys(expected).filter(name => expected[name] !== undefined)
    const strangers = Object.keys(actual).filter(name => !names.includes(name))
    return [
      ...strangers.map(name => `${at}/${name} is too much`),
      ...names.flatMap(name => differences(expected[name], actual[name], `${at}/${name}`))
    ]
  }
  return Object.is(expected, actual) || (expected === 0 && actual === 0) ? [] : told(JSON.stringify(expected))
}
