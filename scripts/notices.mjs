import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Whose code ships, and under which licence. The licence files of installed packages are in their folders; those of
 * bundled ones, whose folders do not ship, are in the text.
 * @param root the folder with node_modules
 * @param shipped { location, name, version, license, isBundled } of each package
 */
export function notices(root, manifest, shipped) {
  const rows = [
    ...new Set(
      shipped.map(
        ({ name, version, license, isBundled }) =>
          `| ${name} | ${version} | ${license} | ${isBundled ? 'bundled' : 'installed'} |`
      )
    )
  ]
  return `# Third-party notices

${manifest.name} ${manifest.version} is under the licence ${manifest.license}. It contains the code of packages that are
marked *bundled* here, and it is installed with the others. The licence of an installed package is in its folder in
\`node_modules\`; the licences of bundled ones are below.

| package | version | licence | how it ships |
| --- | --- | --- | --- |
${rows.sort().join('\n')}
${shipped
  .filter(({ isBundled }) => isBundled)
  .map(one => textsOf(root, one))
  .join('')}`
}

function textsOf(root, { location, name, version, license }) {
  const files = readdirSync(join(root, location))
    .filter(file => /^(licen[sc]e|copying|notice)/i.test(file))
    .sort()
  const texts = files.map(file =>
    readFileSync(join(root, location, file), 'utf8')
      .replace(/\r/g, '')
      .trim()
  )
  const told = texts.length > 0 ? texts : [`Its package holds no licence text. Its package.json says: ${license}.`]
  return `\n## ${name} ${version}\n${told.map(text => `\n\`\`\`text\n${text}\n\`\`\`\n`).join('')}`
}
