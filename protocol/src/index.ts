export * from './actions.ts';
export * from './errors.ts';
export * from './events.ts';
export * from './frames.ts';
export * from './ids.ts';
export * from './json-scan.ts';
export * from './limits.ts';
export * from './schema.ts';
