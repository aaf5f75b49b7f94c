import { startEngines } from '../../../local/engines/engines.ts';

/** A program that starts an engine, tells its process, and then does nothing. */
void startEngines({ only: ['redis'] }).then(({ redis }) => process.stdout.write(`pid ${redis.pid}\n`));
