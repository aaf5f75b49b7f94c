import { ACTION_NAMES, ACTIONS } from '@parley/protocol';
import { CQL_TABLES, DYNAMO_TABLES, KAFKA_TOPICS } from '@parley/protocol/stores';
import { join } from 'node:path';
import type { DeployedApp } from '../../local/assembly/deployed-app.ts';
import { createTable } from '../../local/start-engines/create-stores.ts';
import { readAppForEngines } from '../../local/start-engines/app.ts';
import { synthesizeIfStale } from '../../local/start-engines/synthesize.ts';

const OUTDIR = join(process.cwd(), '.parley', 'cdk.out');
const SYNTH_MAX_MS = 180_000;

describe('the synthesized Parley', () => {
  let app: DeployedApp;

  beforeAll(async () => {
    await synthesizeIfStale(process.cwd(), OUTDIR, () => undefined);
    app = readAppForEngines(OUTDIR);
  }, SYNTH_MAX_MS);

  it('is synthesized once for the same sources', async () => {
    const said: string[] = [];
    expect(await synthesizeIfStale(process.cwd(), OUTDIR, (line) => said.push(line))).toBe(false);
    expect(said).toEqual([]);
  });

  it('reads the same every time', () => {
    expect(readAppForEngines(OUTDIR)).toEqual(app);
  });

  it('has the routes of the protocol, each answered by its function on the same socket', () => {
    const { routes, authorizer, routeSelectionExpression, apiId } = app.api;
    expect(apiId).toMatch(/^[a-z0-9]{10}$/);
    expect(routeSelectionExpression).toBe('$request.body.action');
    expect(authorizer).toMatchObject({
      functionName: 'parley-small-authorizer',
      identitySources: ['route.request.header.Sec-WebSocket-Protocol'],
    });
    const actions = ACTION_NAMES.map((action) => [
      action,
      { functionName: `parley-small-${ACTIONS[action].function}`, routeResponse: true },
    ]);
    expect(Object.fromEntries(routes)).toEqual({
      $connect: { functionName: 'parley-small-connect', routeResponse: false },
      $disconnect: { functionName: 'parley-small-disconnect', routeResponse: false },
      $default: { functionName: 'parley-small-heartbeat', routeResponse: true },
      ...Object.fromEntries(actions),
    });
  });

  it('has the tables and topics of the plain data', () => {
    const { tables, keyspaces, cqlTables, topics, caches, queues, buckets } = app.stores;
    expect(tables.map(({ name }) => name).sort()).toEqual(
      Object.keys(DYNAMO_TABLES)
        .map((name) => `parley-small-${name}`)
        .sort(),
    );
    expect(tables.find(({ name }) => name === 'parley-small-sends')).toMatchObject({
      ttlAttribute: 'expiresAt',
      create: { StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' } },
    });
    expect(keyspaces).toEqual(['parley_small']);
    expect(cqlTables.map(({ name }) => name)).toEqual(Object.keys(CQL_TABLES));
    expect(topics.map(({ name }) => name).sort()).toEqual(Object.keys(KAFKA_TOPICS).sort());
    expect(topics.find(({ name }) => name === 'signals')?.settings).toEqual({ 'retention.ms': '600000' });
    expect(caches.map(({ users }) => users.length)).toEqual([6]);
    expect(queues).toHaveLength(1);
    expect(buckets.length).toBeGreaterThan(0);
  });

  it('makes the CQL of the log from the template', () => {
    const [messages] = app.stores.cqlTables;
    const columns = Object.entries(CQL_TABLES.messages.columns).map(([name, type]) => `${name} ${type}`);
    expect(createTable(messages!)).toBe(
      `CREATE TABLE IF NOT EXISTS parley_small.messages (conversation_id text, message_id bigint, ${columns.join(', ')}, ` +
        'PRIMARY KEY ((conversation_id), message_id)) ' +
        `WITH default_time_to_live = ${CQL_TABLES.messages.ttlSeconds} AND CLUSTERING ORDER BY (message_id DESC)`,
    );
  });

  it('feeds deliver from both topics, without a window', () => {
    const mappings = app.mappings.filter(({ functionName }) => functionName === 'parley-small-deliver');
    expect(mappings).toHaveLength(2);
    for (const mapping of mappings) {
      expect(mapping).toMatchObject({
        kind: 'kafka',
        functionName: 'parley-small-deliver',
        windowMs: 0,
        retriesMax: 10,
      });
    }
  });

  it('has no setting of a function left unresolved', () => {
    const values = [...app.functions.values()].flatMap(({ environment }) => Object.values(environment));
    expect(values.length).toBeGreaterThan(20);
    for (const value of values) expect(value).not.toMatch(/\$\{|\[object|undefined|Token/);
  });
});
