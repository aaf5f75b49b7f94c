import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { handler } from '../../lambdas/brokers.ts';

const CLUSTER = 'arn:aws:kafka:eu-west-1:111122223333:cluster/parley/0a1b';

interface Answer {
  readonly Status: string;
  readonly PhysicalResourceId: string;
  readonly Reason?: string;
  readonly Data?: { readonly Brokers: string };
}

function event(requestType: 'Create' | 'Update' | 'Delete'): CloudFormationCustomResourceEvent {
  return {
    RequestType: requestType,
    StackId: 'stack',
    RequestId: 'request',
    LogicalResourceId: 'BrokerList',
    ResponseURL: 'https://answers.example/put',
    ServiceToken: 'function',
    ResourceType: 'Custom::KafkaBrokers',
    ResourceProperties: { ServiceToken: 'function', ClusterArn: CLUSTER },
  } as CloudFormationCustomResourceEvent;
}

/** Runs the handler against an MSK that answers so; tells what CloudFormation got, and what MSK was asked. */
async function run(requestType: 'Create' | 'Update' | 'Delete', msk: () => Response) {
  const asked: { url: string; headers: Headers }[] = [];
  let answer: Answer | undefined;
  jest.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
    const url = input as string;
    if (url.startsWith('https://answers.example/')) {
      answer = JSON.parse(init?.body as string) as Answer;
      return Promise.resolve(new Response());
    }
    asked.push({ url, headers: new Headers(init?.headers) });
    return Promise.resolve().then(msk);
  });
  await handler(event(requestType));
  return { asked, answer };
}

describe('the look-up of the brokers', () => {
  beforeEach(() => {
    jest.replaceProperty(process, 'env', {
      ...process.env,
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_SESSION_TOKEN: 'session',
    });
  });

  afterEach(() => jest.restoreAllMocks());

  it('tells the brokers in an order that does not change from one deployment to the next', async () => {
    const { asked, answer } = await run('Create', () =>
      Response.json({ bootstrapBrokerStringSaslIam: 'b-2:9098,b-1:9098' }),
    );
    expect(answer).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId: CLUSTER,
      Data: { Brokers: 'b-1:9098,b-2:9098' },
    });
    expect(asked).toHaveLength(1);
    expect(asked[0]?.url).toBe(
      `https://kafka.eu-west-1.amazonaws.com/v1/clusters/${encodeURIComponent(CLUSTER)}/bootstrap-brokers`,
    );
    expect(asked[0]?.headers.get('authorization')).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/kafka\//,
    );
    expect(asked[0]?.headers.get('x-amz-security-token')).toBe('session');
  });

  it.each([
    ['refuses', () => Response.json({ message: 'not authorized' }, { status: 403 }), /403 not authorized/],
    [
      'cannot be reached',
      () => {
        throw new Error('no route');
      },
      /no route/,
    ],
    ['has no broker with IAM', () => Response.json({}), /answered 200/],
  ])('says that it failed when MSK %s, so that no deployment waits for nothing', async (_, msk, reason) => {
    const { answer } = await run('Update', msk);
    expect(answer).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(reason) as unknown });
  });

  it('lets a deletion pass without asking', async () => {
    const { asked, answer } = await run('Delete', () => Response.error());
    expect(answer).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: CLUSTER });
    expect(asked).toEqual([]);
  });
});
