import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The folder of the built page: beside the program's, whether bundled or not, or, when the sources run as they are, in
 * dist/.
 * @returns undefined if the page is not built
 */
export function pageFolder(): string | undefined {
  return ['../page/', '../../page/', '../../dist/page/']
    .map(path => fileURLToPath(new URL(path, import.meta.url)))
    .find(folder => existsSync(`${folder}index.html`))
}
