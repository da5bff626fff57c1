/** English endings, regular ones only; a `+` at a verb's end doubles its last letter. */

export function bare(verb: string): string {
  return verb.replace('+', '')
}

export function thirdPerson(verb: string): string {
  return plural(bare(verb))
}

export function past(verb: string): string {
  if (verb.endsWith('+')) return `${bare(verb)}${verb.at(-2)}ed`
  if (verb.endsWith('e')) return `${verb}d`
  return /[^aeiou]y$/u.test(verb) ? `${verb.slice(0, -1)}ied` : `${verb}ed`
}

export function gerund(verb: string): string {
  if (verb.endsWith('+')) return `${bare(verb)}${verb.at(-2)}ing`
  return /[^eoy]e$/u.test(verb) ? `${verb.slice(0, -1)}ing` : `${verb}ing`
}

export function plural(noun: string): string {
  if (/(s|x|z|ch|sh)$/u.test(noun)) return `${noun}es`
  return /[^aeiou]y$/u.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`
}
