import { compileRouteSelection } from '../../local/gateway/route-selection.ts';

const DOCUMENTED = { service: 'chat', action: 'join', data: { room: 'room1234' } };

describe('route selection expressions', () => {
  it.each<[string, unknown, string]>([
    // The table of the service's documentation, with its own message.
    ['$request.body.action', DOCUMENTED, 'join'],
    ['${request.body.action}', DOCUMENTED, 'join'],
    ['${request.body.service}/${request.body.action}', DOCUMENTED, 'chat/join'],
    ['${request.body.action}-${request.body.invalidPath}', DOCUMENTED, 'join-'],
    ['action', DOCUMENTED, 'action'],
    ['\\$default', DOCUMENTED, '$default'],
    // Paths.
    ['$request.body.data.room', DOCUMENTED, 'room1234'],
    ['$request.body.data.nothing.room', DOCUMENTED, ''],
    ["$request.body['data']['room']", DOCUMENTED, 'room1234'],
    ['${request.body["data"].room}', DOCUMENTED, 'room1234'],
    ['$request.body.list[1]', { list: ['a', 'b'] }, 'b'],
    ['$request.body.list[2]', { list: ['a', 'b'] }, ''],
    // Values that are no texts.
    ['$request.body.action', { action: ['item1', 'item2'] }, '[item1, item2]'],
    ['$request.body.action', { action: 1 }, '1'],
    ['$request.body.action', { action: true }, 'true'],
    ['$request.body.action', { action: null }, ''],
    ['$request.body.action', { action: { a: 1 } }, '{"a":1}'],
    // Messages that are no objects.
    ['$request.body.action', null, ''],
    ['$request.body.action', 1, ''],
    ['$request.body.action', 'action', ''],
    ['$request.body.length', [1, 2], ''],
    ['$request.body.toString', {}, ''],
    ['$request.body.__proto__.constructor', {}, ''],
    // One pass only.
    ['$request.body.action', { action: '$request.body.other', other: 'x' }, '$request.body.other'],
    ['${request.body.a}', { a: '${request.body.b}', b: 'x' }, '${request.body.b}'],
  ])('%s of %j is %j', (expression, message, key) => {
    expect(compileRouteSelection(expression)(message)).toBe(key);
  });

  it.each([
    '$request.header.x',
    '$context.stage',
    '$request.body',
    '$request.body.*',
    '${request.body.a',
    '${request.body..a}',
    '$',
  ])('refuses %s by name instead of guessing', (expression) => {
    expect(() => compileRouteSelection(expression)).toThrow('is not supported');
  });
});
