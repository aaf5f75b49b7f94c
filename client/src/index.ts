export { ParleyClient } from './client.ts';
export { ParleyError, type LocalErrorCode, type ParleyErrorCode } from './errors.ts';
export { indexedDbStorage } from './storage-indexeddb.ts';
export { memoryStorage } from './storage-memory.ts';
export type * from './types.ts';
