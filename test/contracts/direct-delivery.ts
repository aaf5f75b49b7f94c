import type { DirectAnswer, DirectDelivery, DirectRequest } from '../../lambdas/ports/direct-delivery/port.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';
import { conversationKey } from '../../lambdas/runtime/keys.ts';

/** A way to a function that the test plays. */
export interface OpenedDirectDelivery {
  readonly port: DirectDelivery;
  close(): Promise<void>;
}

const REQUEST: DirectRequest = {
  type: 'direct',
  conversation: conversationKey({ workspaceId: 'w' }, 'c'),
  entry: {
    conversationId: 'c',
    id: '9223372036854775807',
    seq: 3,
    kind: 'message',
    senderId: 'ana',
    sentAtMs: 1_700_000_000_000,
    clientMessageId: '00000000-0000-4000-8000-000000000000',
    content: { type: 'text', text: 'e\u0301 \u{1F469}\u200d\u{1F4BB} \u0001' },
  },
  memberIds: ['ana', 'ben'],
  exceptConnectionId: 'L0SM9cOFvHcCIhw=',
};
const DEADLINE_MS = 5_000;

/** One suite for every `DirectDelivery`. `open` makes one that reaches `deliver`. */
export function describeDirectDelivery(
  name: string,
  open: (deliver: (request: DirectRequest) => Promise<unknown>) => Promise<OpenedDirectDelivery>,
): void {
  describe(`${name} keeps the DirectDelivery contract`, () => {
    let at: OpenedDirectDelivery | undefined;

    afterEach(async () => {
      await at?.close();
      at = undefined;
    });

    it('hands the request over as it is, and the answer back', async () => {
      const got: DirectRequest[] = [];
      const answer: DirectAnswer = { served: ['ben'] };
      at = await open((request) => {
        got.push(request);
        return Promise.resolve(answer);
      });
      expect(await at.port.deliver(REQUEST, DEADLINE_MS)).toEqual(answer);
      expect(got).toEqual([REQUEST]);
    });

    it('says Unavailable when the function fails, whatever it says', async () => {
      for (const error of [new Error('secret of the function'), new Unavailable('a store is down')]) {
        at = await open(() => Promise.reject(error));
        await expect(at.port.deliver(REQUEST, DEADLINE_MS)).rejects.toThrow(Unavailable);
        await at.close();
      }
    });

    it('says Unavailable at the deadline, and is not disturbed by what comes later', async () => {
      let answerNow!: (answer: DirectAnswer) => void;
      at = await open(() => new Promise((resolve) => (answerNow = resolve)));
      await expect(at.port.deliver(REQUEST, 20)).rejects.toThrow(Unavailable);
      answerNow({ served: [] });
    });

    it('carries several at once', async () => {
      at = await open((request) => Promise.resolve({ served: [...request.memberIds] }));
      const { port } = at;
      const requests = Array.from({ length: 10 }, (_, i) => ({ ...REQUEST, memberIds: [`user${i}`] }));
      const answers = await Promise.all(requests.map((request) => port.deliver(request, DEADLINE_MS)));
      expect(answers).toEqual(requests.map(({ memberIds }) => ({ served: memberIds })));
    });
  });
}
