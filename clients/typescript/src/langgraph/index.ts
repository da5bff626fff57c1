export { SharedContextSaver, type SaverOptions } from './saver.js'
export { SharedContextStore, type StoreOptions } from './store.js'
