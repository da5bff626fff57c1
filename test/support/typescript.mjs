// Loads TypeScript into tests: `node --import=./test/support/typescript.mjs`.
import { register } from 'node:module'

register('./typescript-hooks.mjs', import.meta.url)
