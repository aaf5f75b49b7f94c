import { ACTION_NAMES, ERRORS, LIMITS, type ErrorCode, type ReplyFrame } from '@parley/protocol';
import { createHandler as sync } from '../../lambdas/sync.ts';
import { messageEvent } from './support/events.ts';
import { intercept, replace, spy } from './support/intercept.ts';
import { Socket, Stage } from './support/stage.ts';
import { Unavailable } from '../../lambdas/ports/unavailable.ts';

const SECRET = 'hunter2-secret-value';

/** What can be wrong with a frame, in the order in which it must be found. */
const FLAWS = ['size', 'json', 'shape', 'action', 'token', 'rate', 'body', 'authorization'] as const;
type Flaw = (typeof FLAWS)[number];
const CODES: Record<Flaw, ErrorCode> = {
  size: 'PAYLOAD_TOO_LARGE',
  json: 'INVALID_JSON',
  shape: 'INVALID_FRAME',
  action: 'UNKNOWN_ACTION',
  token: 'TOKEN_EXPIRED',
  rate: 'RATE_LIMITED',
  body: 'VALIDATION_FAILED',
  authorization: 'NOT_FOUND',
};

function textWith(flaws: ReadonlySet<Flaw>, ownConversation: string): string {
  const body = {
    conversationId: flaws.has('authorization') ? 'nowhere' : ownConversation,
    limit: flaws.has('body') ? 0 : 1,
    ...(flaws.has('size') && { pad: 'x'.repeat(LIMITS.messageMaxBytes) }),
  };
  let text = JSON.stringify({ action: flaws.has('action') ? 'log.burn' : 'log.page', id: '17', body });
  if (flaws.has('shape')) text = `${text.slice(0, -1)},"id":"17"}`;
  if (flaws.has('json')) text += '}';
  return text;
}

describe('the checks of a frame', () => {
  it('come in the order of the protocol, whatever is wrong at once', async () => {
    const stage = new Stage();
    const ana = await stage.connect('ana');
    const group = await stage.group(ana);
    const limited = replace(stage.services, 'presence', {
      take: () => Promise.resolve({ allowed: false, retryAfterMs: 700 }),
    });
    let tried = 0;
    for (let set = 1; set < 2 ** FLAWS.length; set++) {
      // Keeps within the rates and the life of the socket.
      stage.clock.advance(1_000);
      const flaws = new Set(FLAWS.filter((_, i) => set & (1 << i)));
      const socket = flaws.has('token') ? new Socket(stage, 'ana', { expiresAtMs: stage.clock.now() }) : ana;
      const text = await socket.raw(textWith(flaws, group), flaws.has('rate') ? limited : stage.services);
      const frame = JSON.parse(text) as ReplyFrame;
      const first = FLAWS.find((flaw) => flaws.has(flaw))!;
      expect([[...flaws], frame.ok || frame.error.code]).toEqual([[...flaws], CODES[first]]);
      tried++;
    }
    expect(tried).toBe(255);
  });

  it('accept the frame that has no flaw', async () => {
    const stage = new Stage();
    const ana = await stage.connect('ana');
    const group = await stage.group(ana);
    expect(JSON.parse(await ana.raw(textWith(new Set(), group)))).toEqual({
      id: '17',
      ok: true,
      body: { entries: [] },
    });
  });

  it('touch no store before the rate, and only the rate before the body', async () => {
    const stage = new Stage();
    const ana = await stage.connect('ana');
    for (const flaw of FLAWS.slice(0, -1)) {
      const { services, calls } = spy(stage.services);
      const expired = new Socket(stage, 'ana', { expiresAtMs: stage.clock.now() });
      await (flaw === 'token' ? expired : ana).raw(textWith(new Set<Flaw>([flaw]), 'nowhere'), services);
      const expected = flaw === 'rate' || flaw === 'body' ? ['presence.take'] : [];
      expect(calls.map(({ port, method }) => `${port}.${method}`).slice(0, flaw === 'rate' ? 1 : 9)).toEqual(expected);
    }
  });

  it('refuse a key named __proto__ after the rate, like any other fault of the body', async () => {
    const ana = await new Stage().connect('ana');
    const frame = JSON.parse(
      await ana.raw('{"action":"heartbeat","id":"1","body":{"__proto__":{"a":1}}}'),
    ) as ReplyFrame;
    expect(frame).toMatchObject({ id: '1', ok: false, error: { code: 'VALIDATION_FAILED' } });
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
  });
});

describe('a refusal', () => {
  it('carries the id of its request, and null where none could be read', async () => {
    const ana = await new Stage().connect('ana');
    const idOf = async (text: string) => (JSON.parse(await ana.raw(text)) as ReplyFrame).id;
    expect(await idOf('{"action":"log.burn","id":"a"}')).toBe('a');
    expect(await idOf('{"action":"heartbeat","id":"b","body":[]}')).toBe('b');
    expect(await idOf('{"action":"heartbeat","id":5}')).toBeNull();
    expect(await idOf('not json')).toBeNull();
  });

  it('never echoes what was sent', async () => {
    const ana = await new Stage().connect('ana');
    const texts = [
      SECRET,
      `{"action":"${SECRET}"}`,
      `{"${SECRET}":1,"${SECRET}":2}`,
      ...ACTION_NAMES.map((action) =>
        JSON.stringify({
          action,
          body: {
            conversationId: `${SECRET} `,
            heads: { [`${SECRET} `]: 1 },
            page: `${SECRET} `,
            cursors: { [`${SECRET} `]: 1 },
            userIds: [`${SECRET} `],
            type: SECRET,
          },
        }),
      ),
    ];
    let refused = 0;
    for (const text of texts) {
      const answer = await ana.raw(text);
      expect(answer).not.toContain(SECRET);
      if (answer.includes('"ok":false')) refused++;
    }
    expect(refused).toBeGreaterThan(10);
  });

  it('for too many requests says when to come again, and is right about it', async () => {
    const stage = new Stage();
    const ana = await stage.connect('ana');
    let error;
    for (let i = 0; i < 100 && !error; i++) {
      const frame = await ana.request('heartbeat', {});
      if (!frame.ok) error = frame.error;
    }
    expect(error).toMatchObject({ code: 'RATE_LIMITED', temporary: true, retryAfterMs: 50 });
    stage.clock.advance(49);
    await ana.refused('heartbeat', {});
    stage.clock.advance(1);
    await ana.ok('heartbeat', {});
  });

  it('for too many requests meets one user and one action, not others', async () => {
    const stage = new Stage();
    const [ana, ben] = [await stage.connect('ana'), await stage.connect('ben')];
    const tablet = await stage.connect('ana', { deviceId: 'tablet' });
    const namesake = await stage.connect('ana', { workspaceId: 'w2' });
    while ((await ana.request('heartbeat', {})).ok);
    await tablet.refused('heartbeat', {});
    for (const socket of [ben, namesake]) await socket.ok('heartbeat', {});
    await ana.ok('workspace.members', {});
  });
});

describe('without the store of rates', () => {
  it('a lower limit of the function itself holds', async () => {
    const stage = new Stage();
    const ana = await stage.connect('ana');
    const services = replace(stage.services, 'presence', { take: () => Promise.reject(new Unavailable('down')) });
    let allowed = 0;
    while ((await ana.request('workspace.members', {}, services)).ok) allowed++;
    expect(allowed).toBe(15);
    stage.clock.advance(200);
    await ana.ok('workspace.members', {}, services);
  });
});

describe('a failure that nobody foresaw', () => {
  it('is INTERNAL with a fixed text, for every action and every port, and tells nothing of its cause', async () => {
    const stage = new Stage();
    const ana = await stage.connect('ana');
    const services = intercept(stage.services, () => Promise.reject(new Error(SECRET)));
    for (const action of ACTION_NAMES) {
      const text = await ana.raw(JSON.stringify({ action, id: '1' }), services);
      const frame = JSON.parse(text) as ReplyFrame;
      expect(frame).toEqual({
        id: '1',
        ok: false,
        error: {
          code: 'INTERNAL',
          message: ERRORS.INTERNAL.meaning,
          remediation: ERRORS.INTERNAL.remediation,
          temporary: true,
          retryAfterMs: 1_000,
          requestId: expect.stringMatching(/^request-/) as string,
        },
      });
    }
  });

  it('does not stop the next good frame', async () => {
    const stage = new Stage();
    const ana = await stage.connect('ana');
    let isBroken = true;
    const services = intercept(stage.services, ({ proceed }) =>
      isBroken ? Promise.reject(new Error('x')) : proceed(),
    );
    await ana.refused('heartbeat', {}, services);
    isBroken = false;
    await ana.ok('heartbeat', {}, services);
  });
});

describe('an event that is no frame of a known connection', () => {
  it.each([undefined, null, {}, { requestContext: null }, { requestContext: { connectionId: 'c' } }, 'text'])(
    'is refused without touching a store: %j',
    async (event) => {
      const { services, calls } = spy(new Stage().services);
      expect(await sync(services)(event)).toEqual({ statusCode: 400 });
      expect(calls).toEqual([]);
    },
  );

  it('is refused when its authorizer context is missing or not of its form', async () => {
    const stage = new Stage();
    const ana = await stage.connect('ana');
    for (const broken of [
      {},
      { ...ana.authorizer, workspaceId: '' },
      { ...ana.authorizer, userId: 'a/b' },
      { ...ana.authorizer, expiresAtMs: 'soon' },
      { ...ana.authorizer, workspaceId: 'w1/x' },
    ]) {
      const { services, calls } = spy(stage.services);
      const { connectionId, connectedAt } = ana;
      const socket = { connectionId, connectedAt, authorizer: broken };
      const event = messageEvent(socket, '{"action":"session.start","id":"1"}', 'session.start');
      const { body } = await sync(services)(event);
      expect(JSON.parse(body!)).toMatchObject({ id: '1', ok: false, error: { code: 'UNAUTHENTICATED' } });
      expect(calls).toEqual([]);
    }
  });

  it('is refused when the route and the action differ, or the function does not serve it', async () => {
    const stage = new Stage();
    const ana = await stage.connect('ana');
    for (const [action, route] of [
      ['log.page', 'log.sync'],
      ['message.send', 'message.send'],
      ['log.page', '$default'],
    ]) {
      const { body } = await sync(stage.services)(messageEvent(ana, `{"action":"${action!}","id":"1"}`, route!));
      expect(JSON.parse(body!)).toMatchObject({ id: '1', ok: false, error: { code: 'INVALID_FRAME' } });
    }
  });
});
