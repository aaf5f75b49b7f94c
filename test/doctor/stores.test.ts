import { saying, Scene } from './support/scene.ts';

const scene = Scene.forEachTest();

describe('the log', () => {
  const change = (fields: object) => Object.assign(scene.state.logTables.get('parley_small.messages')!, fields);

  it.each([
    ['INACCESSIBLE_ENCRYPTION_CREDENTIALS', /KMS/],
    ['UPDATING', /^Wait/],
    ['DELETED', /console/],
  ])('that is %s is not good', async (status, advice) => {
    change({ status });
    expect(await scene.failure()).toMatchObject({
      name: 'log parley_small.messages',
      found: status,
      advice: saying(advice),
    });
  });

  it.each([
    [undefined, 'off'],
    [86_400, '1 d'],
  ])('has to end its rows: %s s', async (defaultTimeToLive, found) => {
    change({ defaultTimeToLive });
    const { advice, ...rest } = await scene.failure();
    expect(rest).toEqual({ name: 'log parley_small.messages: TTL', ok: false, found });
    expect(advice).toContain('It should be 365 d');
    expect(advice).toContain(
      'aws keyspaces update-table --keyspace-name parley_small --table-name messages --ttl status=ENABLED --default-time-to-live 31536000',
    );
  });

  it('has to be recoverable', async () => {
    change({ pointInTimeRecovery: { status: 'DISABLED' } });
    expect(await scene.failure()).toMatchObject({
      name: 'log parley_small.messages: recovery',
      found: 'DISABLED',
      advice: saying(/--point-in-time-recovery status=ENABLED/),
    });
  });

  it('has to be there', async () => {
    scene.state.logTables.clear();
    expect(await scene.failure()).toMatchObject({
      found: 'does not exist',
      advice: saying(/npx cdk deploy Data .*restore it/),
    });
  });
});

describe('the tables of DynamoDB', () => {
  const sends = () => scene.state.tables.get('parley-small-sends')!;

  it('have to be active', async () => {
    sends().table['TableStatus'] = 'UPDATING';
    expect(await scene.failure()).toMatchObject({
      name: 'table parley-small-sends',
      found: 'UPDATING',
      advice: saying(/^Wait/),
    });
  });

  it.each([
    [{ StreamEnabled: false }, 'off'],
    [{ StreamEnabled: true, StreamViewType: 'KEYS_ONLY' }, 'KEYS_ONLY'],
  ])('sends has to have its stream: %j', async (StreamSpecification, found) => {
    sends().table['StreamSpecification'] = StreamSpecification;
    expect(await scene.failure()).toMatchObject({
      name: 'table parley-small-sends: stream',
      found,
      advice: saying(/StreamEnabled=true,StreamViewType=NEW_IMAGE/),
    });
  });

  it.each([
    [{ TimeToLiveStatus: 'DISABLED' }, 'DISABLED'],
    [{ TimeToLiveStatus: 'ENABLED', AttributeName: 'other' }, 'by other'],
  ])('sends and connections have to end their items: %j', async (ttl, found) => {
    scene.state.tables.get('parley-small-connections')!.ttl = ttl;
    expect(await scene.failure()).toMatchObject({
      name: 'table parley-small-connections: TTL',
      found,
      advice: saying(/Enabled=true,AttributeName=expiresAt/),
    });
  });

  it('the directory has to be recoverable', async () => {
    scene.state.tables.get('parley-small-directory')!.recovery = 'DISABLED';
    expect(await scene.failure()).toMatchObject({
      name: 'table parley-small-directory: recovery',
      advice: saying(/update-continuous-backups --table-name parley-small-directory/),
    });
  });

  it('have to be there', async () => {
    scene.state.tables.delete('parley-small-directory');
    const failed = await scene.failures();
    expect(failed.map(({ name, found }) => [name, found])).toEqual([
      ['table parley-small-directory', 'does not exist'],
      ['table parley-small-directory: recovery', 'does not exist'],
    ]);
    expect(failed[0]!.advice).toContain('npx cdk deploy Data');
  });
});
