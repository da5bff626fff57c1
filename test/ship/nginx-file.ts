export interface Directive {
  name: string
  args: string[]
  block: Directive[]
}

/** An nginx configuration as nested directives. */
export function parseNginx(source: string): Directive[] {
  const tokens = [
    ...source.matchAll(/#.*|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|[{};]|(?:\$\{\w+\}|[^\s{};'"#])+/g)
  ].filter(([token]) => !token.startsWith('#'))
  let at = 0
  const block = (): Directive[] => {
    const found: Directive[] = []
    let words: string[] = []
    while (at < tokens.length) {
      const [token, single, double] = tokens[at++] as RegExpMatchArray
      if (token === '}') return found
      if (token === ';' || token === '{') {
        const [name = '', ...args] = words
        found.push({ name, args, block: token === '{' ? block() : [] })
        words = []
      } else words.push(single ?? double ?? token)
    }
    return found
  }
  return block()
}

export function all(directives: Directive[], name: string): Directive[] {
  return directives.filter(directive => directive.name === name)
}

export function one(directives: Directive[], name: string): Directive {
  const [found, ...more] = all(directives, name)
  if (found === undefined || more.length > 0) throw new Error(`There should be one ${name}`)
  return found
}
