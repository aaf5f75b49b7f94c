import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ACTION_NAMES, ACTIONS } from '@parley/protocol';
import * as v from 'valibot';
import { NOT_YET } from './not-yet.ts';
import { ROWS } from './rows.ts';
import { realProcess, watchCrashes } from './support/crashes.ts';
import { SAMPLES } from './support/samples.ts';
import { fieldsOf, minimal } from './support/schema-walk.ts';
import { until } from './support/until.ts';
import { aField, aFunction, anAction, anAnsweredField, aRole, codeWith } from './support/what-exists.ts';
import type { Scene } from './support/world.ts';
import { TABLES } from './tables/index.ts';

const ids = ROWS.map(({ id }) => id);
const tested = Object.values(TABLES).flatMap((table) => Object.keys(table));
const listed = Object.keys(NOT_YET);

describe('the rows of rows.json', () => {
  it('are each tested, or listed as not yet applicable, or both by parts', () => {
    expect(new Set([...tested, ...listed])).toEqual(new Set(ids));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('are tested once', () => {
    expect(new Set(tested).size).toBe(tested.length);
  });

  it('are as many as were counted', () => {
    const whole = listed.filter((id) => !tested.includes(id));
    const inPart = listed.filter((id) => tested.includes(id));
    const counts = { rows: ids.length, tested: tested.length, notYet: whole.length, inPart: inPart.length };
    expect(counts).toEqual({ rows: 86, tested: 69, notYet: 17, inPart: 4 });
  });

  it.each(Object.entries(TABLES))('of %s have cases, which a test file runs', (name, table) => {
    const cases = Object.entries(table).map(([id, some]) => [id, Object.keys(some).length]);
    expect(cases.filter(([, count]) => count === 0)).toEqual([]);
    expect(existsSync(join(process.cwd(), 'test', 'bad-input', `${name}.test.ts`))).toBe(true);
  });
});

describe('a row that is not yet applicable', () => {
  it.each(Object.entries(NOT_YET))('%s still needs what does not exist', (id, parts) => {
    const applicable = parts.filter((part) => part.until()).map(({ cases = 'the whole row' }) => `${id}: ${cases}`);
    expect(applicable).toEqual([]);
    expect(parts.length).toBeGreaterThan(0);
    expect(parts.every(({ cases }) => cases !== undefined)).toBe(parts.length > 1 || tested.includes(id));
  });

  it('would be seen to become applicable', () => {
    const seen = [
      anAction(/^message\.send$/),
      aField(/^replyToId$/),
      aField(/^text$/),
      anAnsweredField(/^deliveredSeq$/),
      aRole(/^owner$/),
      aFunction('deliver'),
      codeWith(/\bMSKEvent/),
    ];
    expect(seen.map((exists) => exists())).toEqual(seen.map(() => true));
    expect(anAction(/^nope$/)()).toBe(false);
  });
});

describe('the good requests that bad ones are made of', () => {
  const scene = {
    other: { user: { userId: 'ben' } },
    outsider: { userId: 'cleo' },
    conversationId: 'g_1',
    epoch: 1,
    message: { id: '5' },
  } as unknown as Scene;

  it('cover every action', () => {
    expect(Object.keys(SAMPLES).sort()).toEqual([...ACTION_NAMES].sort());
  });

  it.each(ACTION_NAMES)('are good for %s, with all of its fields and with the required ones alone', (action) => {
    const body = SAMPLES[action](scene);
    for (const one of [body, minimal(action, body)])
      expect(v.safeParse(ACTIONS[action].body, one).issues).toBeUndefined();
    expect(() => fieldsOf(action, body)).not.toThrow();
  });

  it('miss no field unnoticed', () => {
    expect(() => fieldsOf('log.sync', { conversationId: 'g_1', after: { seq: 0, id: '0' } })).toThrow('epoch');
  });
});

describe('the watch for crashes', () => {
  it('hears of a rejection that nobody handles, and of an exception that nobody catches', async () => {
    const jests = (['unhandledRejection', 'uncaughtException'] as const).map((event) => {
      const listeners = realProcess.rawListeners(event) as (() => void)[];
      realProcess.removeAllListeners(event);
      return { event, listeners };
    });
    const { crashes, stop } = watchCrashes();
    try {
      void Promise.reject(new Error('nobody handles this'));
      setImmediate(() => {
        throw new Error('nobody catches this');
      });
      await until(() => crashes.length === 2, 'both are heard of');
      expect(crashes.map(String).sort()).toEqual(['Error: nobody catches this', 'Error: nobody handles this']);
    } finally {
      stop();
      for (const { event, listeners } of jests) for (const listener of listeners) realProcess.on(event, listener);
    }
  });
});
