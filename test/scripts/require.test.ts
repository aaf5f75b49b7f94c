import { describeWith } from '../require.ts';

describe('tests that need a tool', () => {
  const { describe: realDescribe } = globalThis;
  const before = { ...process.env };
  let registered: string[];
  let said: string;

  beforeEach(() => {
    registered = [];
    said = '';
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
      said += String(text);
      return true;
    });
    const note = (kind: string) => (title: string, body: () => void) => {
      registered.push(`${kind} ${title}`);
      if (kind === 'describe') body();
    };
    const it = (title: string, body: () => void): void => {
      registered.push(`it ${title}`);
      expect(body).toThrow(/needs chromium.*apt-get install chromium.*CHROMIUM/);
    };
    Object.assign(globalThis, { describe: Object.assign(note('describe'), { skip: note('skipped') }), it });
  });
  const realIt = globalThis.it;
  afterEach(() => {
    Object.assign(globalThis, { describe: realDescribe, it: realIt });
    process.env = { ...before };
    jest.restoreAllMocks();
  });

  it('run with the path of the tool where there is one', () => {
    process.env['CHROMIUM'] = __filename;
    const paths: string[] = [];
    describeWith('chromium', 'the page', (path) => paths.push(path));
    expect(registered).toEqual(['describe the page']);
    expect(paths).toEqual([__filename]);
  });

  it('are skipped where it is missing, with a line that says how to get it', () => {
    process.env['CHROMIUM'] = '/nowhere/chromium';
    delete process.env['PARLEY_REQUIRE_ALL'];
    describeWith('chromium', 'the page', () => undefined);
    expect(registered).toEqual(['skipped the page']);
    expect(said).toMatch(/NOT TESTED: "the page" needs chromium.*apt-get install chromium.*CHROMIUM/);
  });

  it('fail where it is missing and everything is required', () => {
    process.env['CHROMIUM'] = '/nowhere/chromium';
    process.env['PARLEY_REQUIRE_ALL'] = '1';
    describeWith('chromium', 'the page', () => undefined);
    expect(registered).toEqual(['describe the page', 'it has chromium']);
  });

  it('are skipped, with a line, even when everything is required, where no CI can promise the tool', () => {
    jest.spyOn(process, 'getuid').mockReturnValue(1000);
    process.env['PARLEY_REQUIRE_ALL'] = '1';
    describeWith('mounts', 'the disk', () => undefined);
    expect(registered).toEqual(['skipped the disk']);
    expect(said).toMatch(/NOT TESTED: "the disk" needs mounts.*as root/);
  });
});
