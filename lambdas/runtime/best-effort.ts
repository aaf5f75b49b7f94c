import { Unavailable } from '../ports/unavailable.ts';
import { logger } from './logger.ts';

/** What the work gives, or `otherwise` when its store does not answer: for what chat goes on without. */
export async function bestEffort<T>(what: string, otherwise: T, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    logger.warn('went on without', { what });
    return otherwise;
  }
}
