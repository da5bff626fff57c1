import { camelCase, className, hex, identifier, number, path, snakeCase, ticket } from './identifiers.js'
import { noun, type Pen, prose, sentence, thing } from './prose.js'

/** Remarks on code, with paths, lines and pieces of it. */
export function review(pen: Pen, length: number): string {
  const { random, words } = pen
  const where = `${path(random, words)}:${random.int(3, 980)}`
  switch (random.int(0, 8)) {
    case 0:
      return `${where} ${prose(pen, length)}`
    case 1:
      return `nit: \`${identifier(random, words)}\` should be \`${identifier(random, words)}\`. ${prose(pen, length - 60)}`
    case 2:
      return `In ${where} the ${thing(pen)} is not checked before \`${camelCase(random, words)}()\`. ${prose(pen, length - 80)}`
    case 3:
      return `Approved ${ticket(random)} at ${hex(random, 40)}. ${prose(pen, length - 60)}`
    case 4:
      return `Blocking: ${prose(pen, length * 0.6)}\n\`\`\`ts\n${code(pen, Math.max(1, Math.round(length / 120)))}\n\`\`\``
    case 5:
      return `@@ -${random.int(1, 400)},${random.int(1, 20)} +${random.int(1, 400)},${random.int(1, 20)} @@ ${where}\n- ${statement(pen)}\n+ ${statement(pen)}\n${sentence(pen)}`
    case 6:
      return `Why ${className(random, words)} here? ${prose(pen, length)}`
    case 7:
      return `Coverage of ${path(random, words)} is ${number(random)}; ${sentence(pen)} ${length > 150 ? prose(pen, length - 120) : ''}`.trim()
    default:
      return `${prose(pen, length - 40)} Suggest a test for the ${noun(pen)}.`
  }
}

function statement({ random, words }: Pen): string {
  switch (random.int(0, 4)) {
    case 0:
      return `const ${camelCase(random, words)} = await ${camelCase(random, words)}(${snakeCase(random, words)})`
    case 1:
      return `if (${camelCase(random, words)} === ${random.int(0, 512)}) return ${snakeCase(random, words)}`
    case 2:
      return `select ${snakeCase(random, words)} from ${snakeCase(random, words)} where ${snakeCase(random, words)} = $1`
    case 3:
      return `throw new ${className(random, words)}('${random.zipf(words.technical)} ${random.zipf(words.adjectives)}')`
    default:
      return `this.${camelCase(random, words)}.${random.zipf(words.verbs).replace('+', '')}(${random.int(1, 9000)})`
  }
}

function code(pen: Pen, lines: number): string {
  return Array.from({ length: lines }, () => statement(pen)).join('\n')
}
