import { rowOf } from '../rows.ts';
import { watchCrashes } from './crashes.ts';
import type { Table } from './refusals.ts';
import { World } from './world.ts';

/** Above every limit of `until`, so that a failure has a name. */
const TEST_MAX_MS = 60_000;

/** The tests of a table, against one Parley, which must not have crashed at the end. */
export function describeRows(table: Table): void {
  jest.setTimeout(TEST_MAX_MS);
  let world: World;
  const { crashes, stop } = watchCrashes();
  beforeAll(async () => (world = await World.start()));
  afterAll(async () => {
    await world.close();
    stop();
    expect(crashes).toEqual([]);
  });
  for (const [id, cases] of Object.entries(table)) {
    const row = rowOf(id);
    describe(`${id}: ${row.title}`, () => {
      for (const [name, run] of Object.entries(cases)) it(name, () => run({ world, row }));
    });
  }
}
