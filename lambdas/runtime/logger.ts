import { Logger } from '@aws-lambda-powertools/logger';

/**
 * The only way to log. Ids, action, outcome, `durationMs`: never an event, a token, a text or a name.
 * The level comes from `POWERTOOLS_LOG_LEVEL`.
 */
export const logger = new Logger({ serviceName: 'parley' });
