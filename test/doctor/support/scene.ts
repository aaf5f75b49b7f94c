import { STAGES } from '../../../lib/stages.ts';
import { startLocalApp, type LocalApp } from '../../../local/embedded/app.ts';
import { examine, type DoctorOptions } from '../../../scripts/doctor/doctor.ts';
import type { Finding } from '../../../scripts/doctor/finding.ts';
import { INPUT } from '../../infra/harness.ts';
import { deployedState, REGION, type AwsState } from './deployed.ts';
import { FakeAws, KEY } from './fake-aws.ts';

/** A healthy stage `small` before each test, which may spoil it: AWS as the templates make it, and the local gateway as its socket. */
export class Scene {
  app!: LocalApp;
  aws!: FakeAws;

  get state(): AwsState {
    return this.aws.state;
  }

  /** Call it at the top of a test file. */
  static forEachTest(): Scene {
    const scene = new Scene();
    beforeAll(async () => {
      scene.app = await startLocalApp();
      scene.aws = await FakeAws.start(deployedState('small', scene.app.socketUrl));
    });
    beforeEach(() => {
      scene.aws.state = deployedState('small', scene.app.socketUrl);
      scene.aws.refusals.clear();
    });
    afterAll(async () => {
      await scene.aws.close();
      await scene.app.close();
    });
    return scene;
  }

  run(over: Partial<DoctorOptions> = {}) {
    const { endpoint } = this.aws;
    const credentials = () => Promise.resolve(KEY);
    return examine({ stage: STAGES.small(INPUT), region: REGION, endpoint, credentials, ...over });
  }

  /** All that failed. */
  async failures(over: Partial<DoctorOptions> = {}): Promise<readonly Finding[]> {
    const { checks, ok } = await this.run(over);
    const failed = checks.filter((check) => !check.ok);
    expect(ok).toBe(failed.length === 0);
    return failed;
  }

  /** What failed; nothing else may have. */
  async failure(over: Partial<DoctorOptions> = {}): Promise<Finding> {
    const failed = await this.failures(over);
    expect(failed.map(({ name, found }) => `${name}: ${found}`)).toHaveLength(1);
    return failed[0]!;
  }
}

export async function tokenOf(app: LocalApp, userId: string): Promise<string> {
  const response = await fetch(`${app.url}/dev/token`, { method: 'POST', body: JSON.stringify({ userId }) });
  return ((await response.json()) as { token: string }).token;
}

/** Matches in `toMatchObject`, typed. */
export const saying = (pattern: RegExp): string => expect.stringMatching(pattern) as string;
