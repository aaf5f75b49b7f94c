import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { devNull } from 'node:os';
import { text } from 'node:stream/consumers';
import { Stop } from '../../scripts/doctor/aws-errors.ts';
import { readCommandLine, USAGE } from '../../scripts/doctor/options.ts';
import { REGION } from './support/deployed.ts';
import { KEY } from './support/fake-aws.ts';
import { Scene, tokenOf } from './support/scene.ts';

jest.setTimeout(60_000);

const scene = Scene.forEachTest();

/** Nothing of whoever runs the tests, and no look for a machine's own role. */
const NOBODY = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS|PARLEY)_/.test(name))),
  AWS_CONFIG_FILE: devNull,
  AWS_SHARED_CREDENTIALS_FILE: devNull,
  AWS_EC2_METADATA_DISABLED: 'true',
};

const somebody = () => ({
  ...NOBODY,
  AWS_REGION: REGION,
  AWS_ENDPOINT_URL: scene.aws.endpoint,
  AWS_ACCESS_KEY_ID: KEY.accessKeyId,
  AWS_SECRET_ACCESS_KEY: KEY.secretAccessKey,
  AWS_SESSION_TOKEN: KEY.sessionToken,
});

async function doctor(args: string[], env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, ['scripts/run.mjs', 'doctor', ...args], { env });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}

describe('npm run doctor', () => {
  it('ends with 0 where all is well, and shows no secret', async () => {
    const token = await tokenOf(scene.app, 'ana');
    const { code, stdout, stderr } = await doctor(['--stage', 'small'], { ...somebody(), PARLEY_TOKEN: token });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^✓ socket with the token +session and heartbeat work, as ana$/m);
    expect(stdout).toMatch(/^Stage small: \d+ checks, all as it should be\.$/m);
    for (const secret of [KEY.secretAccessKey, KEY.sessionToken, token]) expect(stdout).not.toContain(secret);
  });

  it('ends with 1 where something is not, and says it in JSON when asked to', async () => {
    scene.state.topics = [];
    const { code, stdout } = await doctor(['--stage', 'small', '--json'], somebody());
    const report = JSON.parse(stdout) as { ok: boolean; checks: { name: string; ok: boolean; advice?: string }[] };
    expect(code).toBe(1);
    expect(report).toMatchObject({ stage: 'small', account: '123456789012', region: REGION, ok: false });
    expect(report.checks.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual([
      'topic conversation-events',
      'topic signals',
    ]);
    expect(report.checks.every(({ ok, advice }) => ok === (advice === undefined))).toBe(true);
  });

  it.each([
    ['no Region', ['--stage', 'small'], /^No Region is set\. Give --region/],
    ['no credentials', ['--stage', 'small', '--region', REGION], /^There are no AWS credentials .*AWS_PROFILE/],
  ])('given %s: one line that says what to do, and 1', async (_, args, line) => {
    const { code, stdout, stderr } = await doctor(args, NOBODY);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^[^\n]+\n$/);
    expect(stderr).toMatch(line);
  });
});

describe('the command line', () => {
  it.each([
    [[], '--stage is missing. Choose one of small, prod.'],
    [['--stage', 'big'], 'There is no stage "big". Choose one of small, prod.'],
    [['--stage', 'constructor'], 'There is no stage "constructor". Choose one of small, prod.'],
    [['--stages', 'small'], "Unknown option '--stages'. --help says what there is."],
    [['--stage'], "Option '--stage <value>' argument missing. --help says what there is."],
  ])('%j is refused with what to write instead', (args, line) => {
    expect(() => readCommandLine(args, {})).toThrow(new Stop(line));
  });

  it('takes the Region from the options before the environment, and an address for all services', () => {
    const env = { AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: 'eu-west-3', AWS_ENDPOINT_URL: 'http://127.0.0.1:4566' };
    const read = (args: string[], from: NodeJS.ProcessEnv) => readCommandLine(['--stage', 'small', ...args], from);
    expect(read(['--region', 'eu-west-2'], env)).toMatchObject({
      region: 'eu-west-2',
      endpoint: 'http://127.0.0.1:4566',
    });
    expect(read([], env)).toMatchObject({ region: 'eu-west-1' });
    expect(read([], { ...env, AWS_REGION: '' })).toMatchObject({ region: 'eu-west-3' });
    expect(read([], {})).not.toHaveProperty('region');
  });

  it('explains itself', () => {
    expect(readCommandLine(['--help'], {})).toBe('help');
    for (const option of ['--stage', '--region', '--token', '--json']) expect(USAGE).toContain(option);
  });
});
