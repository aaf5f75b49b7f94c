import { WallClock } from '../contracts/contract.ts';
import { describeDirectory } from '../contracts/directory.ts';
import { describeWith } from '../require.ts';
import { TestDynamo } from './support/dynamo.ts';

jest.setTimeout(60_000);

describeWith('engines', 'on DynamoDB Local', () => {
  describeDirectory('DynamoDirectory', async () => {
    const dynamo = await TestDynamo.start();
    return { port: dynamo.directory(), clock: new WallClock(), close: () => dynamo.close() };
  });
});
