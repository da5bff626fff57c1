// Loads TypeScript into tests: `node --import=./test/support/typescript.mjs`.
import { register } from 'node:module'

register('./typescript-hooks.mjs', import.meta.url)

// tap loads hooks of its own into every process that a test starts, for coverage, which is not taken here: 0.7 s of a core for each, and
// then it is not the program as it is. They hang on this list of process-on-spawn, which wraps spawning.
globalThis[Symbol.for('process-on-spawn@*:singletonId')]?.listeners.splice(0)
