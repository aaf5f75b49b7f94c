import { parseJsonl, toJsonl, type Seen } from '../history/history.ts';
import { CHECKER_NAMES, CHECKERS, type CheckerName } from './index.ts';
import { ROOM, scene, type Scene } from './support/scene.ts';

interface Anomaly {
  readonly title: string;
  readonly plant?: (scene: Scene) => void;
  readonly reads?: (process: string, entries: readonly Seen[]) => readonly Seen[];
  /** Who finds it, and what each says. */
  readonly found: Partial<Record<CheckerName, RegExp>>;
}

const without =
  (seq: number, ...processes: string[]): Anomaly['reads'] =>
  (process, entries) =>
    processes.includes(process) ? entries.filter((entry) => entry.seq !== seq) : entries;

/** A device is told how far a member of the room is. */
function receiptAt(
  history: Scene['history'],
  process: string,
  userId: string,
  deliveredSeq: number,
  readSeq: number,
): void {
  history.record(process, 'ok', 'receipt', { conversationId: ROOM, userId, deliveredSeq, readSeq });
}

const ANOMALIES: readonly Anomaly[] = [
  {
    title: 'an answered send that is nowhere',
    plant: ({ history }) => {
      const asked = { conversationId: ROOM, key: 'key-x', text: 'x' };
      history.record('ana/phone', 'invoke', 'send', asked);
      history.record('ana/phone', 'ok', 'send', { ...asked, id: '1004', seq: 4 });
    },
    found: { lost: /has not key-x \(1004, number 4\)/ },
  },
  {
    title: 'an answered send that one device lacks',
    reads: without(2, 'ben/phone'),
    found: { lost: /^ben\/phone has not key-2/, gap: /^ben\/phone never gets 1002/ },
  },
  {
    title: 'a message that nobody sent',
    plant: ({ history }) =>
      history.record('ben/phone', 'ok', 'show', {
        conversationId: ROOM,
        id: '1004',
        seq: 4,
        kind: 'message',
        key: 'key-y',
        text: 'y',
      }),
    found: { phantom: /which nobody sent/ },
  },
  {
    title: 'a message that was refused',
    plant: ({ history }) => {
      const asked = { conversationId: ROOM, key: 'key-z', text: 'z' };
      history.record('ana/phone', 'invoke', 'send', asked);
      history.record('ana/phone', 'fail', 'send', { ...asked, code: 'VALIDATION_FAILED' });
      history.record('ben/phone', 'ok', 'receive', {
        conversationId: ROOM,
        id: '1004',
        seq: 4,
        kind: 'message',
        key: 'key-z',
        text: 'z',
      });
    },
    found: { phantom: /which was refused/ },
  },
  {
    title: 'a message that was told of and is not in the log',
    plant: ({ history }) => {
      const asked = { conversationId: ROOM, key: 'key-w', text: 'w' };
      history.record('ana/phone', 'invoke', 'send', asked);
      history.record('ana/phone', 'info', 'send', asked);
      history.record('ben/phone', 'ok', 'receive', {
        conversationId: ROOM,
        id: '1004',
        seq: 4,
        kind: 'message',
        key: 'key-w',
        text: 'w',
      });
    },
    found: { phantom: /which is not in the log/ },
  },
  {
    title: 'another text than the one that was sent',
    reads: (_, entries) => entries.map((entry) => (entry.seq === 2 ? { ...entry, text: 'other' } : entry)),
    found: { phantom: /says something else/ },
  },
  {
    title: 'one key with two entries',
    plant: ({ history }) =>
      history.record('ana/phone', 'ok', 'send', {
        conversationId: ROOM,
        key: 'key-1',
        text: 'text 1',
        id: '1002',
        seq: 2,
      }),
    found: { duplicate: /the key key-1 has the entries 1001, 1002/ },
  },
  {
    title: 'an entry that is shown twice',
    plant: ({ history, entry }) => history.record('ben/phone', 'ok', 'show', { conversationId: ROOM, ...entry(3) }),
    found: { duplicate: /ben\/phone showed 1003 twice/ },
  },
  {
    title: 'an entry that is read twice',
    reads: (process, entries) => (process === 'ben/phone' ? [...entries, entries[0]!] : entries),
    found: { duplicate: /ben\/phone has 1001 .* twice/, order: /ben\/phone reads/ },
  },
  {
    title: 'ids that do not rise with the numbers',
    reads: (_, entries) => entries.map((entry) => (entry.seq === 2 ? { ...entry, id: '1009', key: 'key-2' } : entry)),
    found: {
      order: /reads .*: 1003 \(number 3\) stands after 1009/,
      duplicate: /key-2/,
      lost: /key-2/,
      phantom: /1002, which is not in the log/,
      late: /1009 .* never/,
    },
  },
  {
    title: 'a device that shows in another order',
    plant: ({ history }) => {
      const asked = (seq: number) => ({ conversationId: ROOM, key: `late-${seq}`, text: '' });
      for (const seq of [5, 4]) {
        history.record('ana/phone', 'invoke', 'send', asked(seq));
        history.record('ben/tablet', 'ok', 'show', { ...asked(seq), id: String(1_000 + seq), seq, kind: 'void' });
      }
    },
    found: { order: /ben\/tablet shows .*: 1004 \(number 4\) stands after 1005/ },
  },
  {
    title: 'a number of which the server tells nothing',
    reads: without(2, 'ana/fresh', 'ben/fresh', 'ana/phone', 'ben/phone'),
    found: { gap: /is not told what number 2 is/, lost: /key-2/, phantom: /not in the log/ },
  },
  {
    title: 'a message that came late',
    plant: ({ history, entry, wait }) => {
      history.record('ben/tablet', 'ok', 'online', { online: true, syncs: true });
      wait(90_000);
      for (const seq of [1, 2, 3]) history.record('ben/tablet', 'ok', 'show', { conversationId: ROOM, ...entry(seq) });
    },
    found: { late: /ben\/tablet got 1001 \(number 1\) after 90.0 s/ },
  },
  {
    title: 'a message that a socket without a client never got, though it was open before',
    plant: ({ history, wait }) => {
      history.record('ben/wire', 'ok', 'online', { online: true, syncs: false });
      wait(1_000);
      const sent = { conversationId: ROOM, key: 'key-4', text: 'text 4' };
      history.record('ana/phone', 'invoke', 'send', sent);
      wait(20);
      history.record('ana/phone', 'ok', 'send', { ...sent, id: '1004', seq: 4 });
      for (const process of ['ana/phone', 'ben/phone'])
        history.record(process, 'ok', 'show', { ...sent, id: '1004', seq: 4, kind: 'message' });
    },
    reads: (_, entries) => [...entries, { id: '1004', seq: 4, kind: 'message', key: 'key-4', text: 'text 4' }],
    found: { late: /ben\/wire got 1004 \(number 4\) never/ },
  },
  {
    title: 'a message that a connected device never got',
    plant: ({ history }) => history.record('ben/tablet', 'ok', 'online', { online: true, syncs: true }),
    found: { late: /ben\/tablet got 1001 \(number 1\) never/ },
  },
  {
    title: 'two texts of one number',
    reads: (process, entries) =>
      process === 'ben/phone'
        ? entries.map((entry) => (entry.seq === 3 ? { ...entry, kind: 'void' } : entry))
        : entries,
    found: { divergence: /number 3 is .*void.* to ben\/phone/ },
  },
  {
    title: 'an entry that somebody else was told of',
    plant: ({ history, entry }) => history.record('cleo/phone', 'ok', 'receive', { conversationId: ROOM, ...entry(2) }),
    found: { leak: /cleo\/phone was told 1002/ },
  },
  {
    title: 'an entry from after somebody was removed',
    plant: ({ history }) =>
      history.record('setup', 'ok', 'member', { conversationId: ROOM, userId: 'ben', fromSeq: 0, toSeq: 2 }),
    found: { leak: /ben\/phone was told 1003/ },
  },
  {
    title: 'a receipt that somebody else was told of',
    plant: ({ history }) => receiptAt(history, 'cleo/phone', 'ben', 3, 3),
    found: { leak: /cleo\/phone was told how far ben is in g-room/ },
  },
  {
    title: 'a receipt that came long after somebody was removed',
    plant: ({ history, wait }) => {
      history.record('setup', 'ok', 'member', { conversationId: ROOM, userId: 'ben', fromSeq: 0, toSeq: 3 });
      wait(30_000);
      receiptAt(history, 'ben/raw', 'ana', 3, 3);
    },
    found: { leak: /ben\/raw was told how far ana is in g-room/ },
  },
  ...['typing', 'receipt', 'conversation'].map((type) => ({
    title: `an event of type ${type} that somebody else was told of`,
    plant: ({ history }: Scene) => history.record('cleo/phone', 'ok', 'event', { type, conversationId: ROOM }),
    found: { leak: new RegExp(`cleo/phone was told ${type} of g-room`) },
  })),
  {
    title: 'an entry that one of the same name in another workspace was told of',
    plant: ({ history, entry }) =>
      history.record('ben@elsewhere/wire', 'ok', 'receive', { conversationId: ROOM, ...entry(2) }),
    found: { leak: /ben@elsewhere\/wire was told 1002/ },
  },
  {
    title: 'the presence of somebody, told to one in another workspace',
    plant: ({ history }) => history.record('ben@elsewhere/wire', 'ok', 'event', { type: 'presence', userId: 'ben' }),
    found: { leak: /ben@elsewhere\/wire was told presence of ben/ },
  },
  {
    title: 'a receipt that went back',
    plant: ({ history }) => receiptAt(history, 'ana/phone', 'ben', 3, 1),
    found: { 'receipt-regress': /read 1 after 3, 3/ },
  },
  {
    title: 'a receipt beyond the head',
    plant: ({ history }) => receiptAt(history, 'ana/phone', 'ben', 7, 3),
    found: { 'receipt-regress': /delivered 7, head 3/ },
  },
  {
    title: 'a deleted text that is answered',
    plant: ({ history }) => history.record('ana/phone', 'ok', 'remove', { conversationId: ROOM, id: '1002' }),
    found: { resurrection: /the text of 1002/ },
  },
];

describe('the checkers of histories', () => {
  it('find nothing where everything went as it should', () => {
    const history = scene();
    expect(history.length).toBeGreaterThan(20);
    for (const name of CHECKER_NAMES) expect(CHECKERS[name](history)).toEqual([]);
  });

  it.each(ANOMALIES)('find $title, and nothing else', ({ plant, reads, found }) => {
    const history = parseJsonl(toJsonl(scene(plant, reads)));
    for (const name of CHECKER_NAMES) {
      const findings = CHECKERS[name](history).map(({ what }) => what);
      const expected = found[name];
      expect({ name, findings }).toEqual({
        name,
        findings: expected ? (expect.arrayContaining([expect.stringMatching(expected)]) as unknown) : [],
      });
    }
  });

  it('are each proven by an anomaly', () => {
    const proven = new Set(ANOMALIES.flatMap(({ found }) => Object.keys(found)));
    expect([...proven].sort()).toEqual([...CHECKER_NAMES].sort());
  });

  it('miss nothing that has expired, and find where it is answered', () => {
    const plant = ({ history }: Scene): void =>
      history.record('clock', 'ok', 'remove', { conversationId: ROOM, id: '1001', expiredSeq: 1 });
    const history = scene(plant, without(1, 'ana/fresh', 'ben/fresh'));
    for (const name of CHECKER_NAMES) expect(CHECKERS[name](history)).toEqual([]);
    expect(CHECKERS.resurrection(scene(plant))).toHaveLength(2);
  });

  it('take a time-out for unknown: the message may be there or not', () => {
    const asked = { conversationId: ROOM, key: 'key-u', text: 'u' };
    const unknown = { id: '1004', seq: 4, kind: 'message', key: 'key-u', text: 'u' };
    const plant = ({ history }: Scene): void => {
      history.record('ana/phone', 'invoke', 'send', asked);
      history.record('ana/phone', 'info', 'send', asked);
    };
    for (const more of [[], [unknown]]) {
      const history = scene(plant, (_, entries) => [...entries, ...more]);
      for (const name of CHECKER_NAMES) {
        // Its devices never showed it while they were connected: that is late, whatever its sender knows.
        if (name === 'late') continue;
        expect(CHECKERS[name](history)).toEqual([]);
      }
    }
  });

  it('count the time from the end of the fault that held it up', () => {
    const plant = ({ history, wait }: Scene): void => {
      const end = history.begin('partition');
      const sent = { conversationId: ROOM, key: 'key-f', text: 'f', id: '1004', seq: 4 };
      history.record('ana/phone', 'invoke', 'send', sent);
      history.record('ana/phone', 'ok', 'send', sent);
      history.record('ana/phone', 'ok', 'show', { ...sent, kind: 'message' });
      wait(120_000);
      end();
      wait(50_000);
      history.record('ben/phone', 'ok', 'show', { ...sent, kind: 'message' });
    };
    const more = { id: '1004', seq: 4, kind: 'message', key: 'key-f', text: 'f' };
    expect(CHECKERS.late(scene(plant, (_, entries) => [...entries, more]))).toEqual([]);
  });
});
