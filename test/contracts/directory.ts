import type { Directory } from '../../lambdas/ports/directory/port.ts';
import { opened, type Opened } from './contract.ts';
import { appendTests } from './directory/appends.ts';
import { conversationTests } from './directory/conversations.ts';
import { peopleTests } from './directory/people.ts';
import { rosterTests } from './directory/rosters.ts';

/** One suite for every `Directory`. */
export function describeDirectory(name: string, open: () => Promise<Opened<Directory>>): void {
  describe(`${name} keeps the Directory contract`, () => {
    const at = opened(open);
    conversationTests(at);
    appendTests(at);
    rosterTests(at);
    peopleTests(at);
  });
}
