import { saying, Scene } from './support/scene.ts';

const scene = Scene.forEachTest();

describe('stacks', () => {
  it.each([
    ['UPDATE_IN_PROGRESS', /^Wait/],
    ['UPDATE_ROLLBACK_COMPLETE', /^The last deployment failed and was undone.*npx cdk deploy Stream /],
    ['UPDATE_ROLLBACK_FAILED', /Continue update rollback/],
    ['ROLLBACK_COMPLETE', /^It was never made\. .*delete the stack, then: npx cdk deploy Stream /],
    ['DELETE_FAILED', /npx cdk deploy Stream /],
  ])('%s is not good', async (status, advice) => {
    scene.state.stacks.get('parley-small-stream')!.status = status;
    scene.state.stacks.get('parley-small-stream')!.reason = 'Topic & "quota"';
    expect(await scene.failure()).toMatchObject({
      name: 'stack parley-small-stream',
      found: `${status}: Topic & "quota"`,
      advice: saying(advice),
    });
  });

  it.each(['UPDATE_COMPLETE', 'IMPORT_COMPLETE'])('%s is good', async (status) => {
    scene.state.stacks.get('parley-small-data')!.status = status;
    expect(await scene.failures()).toEqual([]);
  });

  it('one that is missing is to be deployed', async () => {
    scene.state.stacks.delete('parley-small-edge');
    expect(await scene.failure()).toMatchObject({
      found: 'does not exist',
      advice: 'Deploy it: npx cdk deploy Edge -c stage=small -c issuer=… -c audience=…',
    });
  });
});

describe('the stream', () => {
  const cluster = () => scene.state.clusters[1]!;
  const signals = () => scene.state.topics.find(({ topicName }) => topicName === 'signals')!;

  it.each([
    ['CREATING', /^Brokers take 20 to 40 minutes/],
    ['FAILED', /destroy the stacks Realtime and Stream/],
  ])('needs brokers that serve: %s', async (clusterState, advice) => {
    Object.assign(cluster(), { state: clusterState, stateInfo: { code: 'x', message: 'no address' } });
    expect(await scene.failure()).toMatchObject({
      name: 'brokers parley-small',
      found: `${clusterState}: no address`,
      advice: saying(advice),
    });
  });

  it('needs the cluster of just this name', async () => {
    scene.state.clusters.pop();
    expect(await scene.failure()).toMatchObject({
      name: 'brokers parley-small',
      found: 'does not exist',
      advice: saying(/npx cdk deploy Stream/),
    });
  });

  it('needs its topics: the advice makes the same one', async () => {
    scene.state.topics = scene.state.topics.filter((topic) => topic !== signals());
    const { advice, ...rest } = await scene.failure();
    expect(rest).toEqual({ name: 'topic signals', ok: false, found: 'does not exist' });
    expect(advice).toContain(
      `--cluster-arn ${String(cluster()['clusterArn'])} --topic-name signals --partition-count 3 --replication-factor 2 --configs `,
    );
    expect(Buffer.from(/--configs (\S+)/.exec(advice!)![1]!, 'base64').toString()).toBe('retention.ms=600000\n');
  });

  it('needs the partitions that the order of conversations was built on', async () => {
    signals()['partitionCount'] = 5;
    expect(await scene.failure()).toMatchObject({
      name: 'topic signals',
      found: '5 partitions, 2 replicas',
      advice: saying(/^lib\/stages\.ts says 3 and 2\./),
    });
  });

  it('needs replicas that keep up', async () => {
    signals()['outOfSyncReplicaCount'] = 2;
    expect(await scene.failure()).toMatchObject({
      name: 'topic signals',
      found: '3 partitions, 2 replicas, 2 of them behind',
      advice: saying(/^A broker is away/),
    });
  });
});

describe('event source mappings', () => {
  it.each([
    ['Disabled', /aws lambda update-event-source-mapping --uuid 00000000-0000-4000-8000-000000000000 --enabled/],
    ['Creating', /^Wait/],
  ])('have to be enabled: %s', async (State, advice) => {
    scene.state.mappings[0]!['State'] = State;
    expect(await scene.failure()).toMatchObject({
      name: 'mapping conversation-events → deliver',
      found: `${State}: USER_INITIATED`,
      advice: saying(advice),
    });
  });

  it('show a problem that Lambda has met', async () => {
    scene.state.mappings[1]!['LastProcessingResult'] = 'PROBLEM: Connection error.';
    expect(await scene.failure()).toMatchObject({
      name: 'mapping signals → deliver',
      found: 'Enabled, last result: PROBLEM: Connection error.',
      advice: saying(/9098.*parley-small-deliver/),
    });
  });

  it.each([
    ['signals → deliver', 1],
    ['stream of sends → repair', 2],
  ])('have to be there: %s', async (name, number) => {
    scene.state.mappings.splice(number, 1);
    expect(await scene.failure()).toMatchObject({
      name: `mapping ${name}`,
      found: 'does not exist',
      advice: saying(/npx cdk deploy Realtime/),
    });
  });
});

describe('functions', () => {
  it.each([
    [{ State: 'Inactive', StateReason: 'Idle' }, 'Inactive: Idle', /weeks without a call/],
    [{ State: 'Pending' }, 'Pending', /in a minute/],
    [{ State: 'Failed', StateReason: 'No subnet' }, 'Failed: No subnet', /npx cdk deploy Realtime/],
    [{ LastUpdateStatus: 'InProgress' }, 'Active, last update InProgress', /old code until that is done/],
    [
      { LastUpdateStatus: 'Failed', LastUpdateStatusReason: 'No image' },
      'Active, last update Failed: No image',
      /npx cdk deploy Realtime/,
    ],
  ])('have to be active: %j', async (fields, found, advice) => {
    Object.assign(scene.state.functions.get('parley-small-send')!, fields);
    expect(await scene.failure()).toMatchObject({
      name: 'function parley-small-send',
      found,
      advice: saying(advice),
    });
  });

  it('have to be there', async () => {
    scene.state.functions.delete('parley-small-brokers');
    expect(await scene.failure()).toMatchObject({
      found: 'does not exist',
      advice: saying(/npx cdk deploy Stream/),
    });
  });
});
