import { localConfig } from '../src/config.ts';

it('finds the local server where the page came from', () => {
  expect(localConfig({ protocol: 'http:', host: '127.0.0.1:8787' })).toEqual({
    socketUrl: 'ws://127.0.0.1:8787/local',
    tokenUrl: 'http://127.0.0.1:8787/dev/token',
  });
});

it('keeps to an encrypted connection where the page has one', () => {
  expect(localConfig({ protocol: 'https:', host: 'chat.example' }).socketUrl).toBe('wss://chat.example/local');
});
