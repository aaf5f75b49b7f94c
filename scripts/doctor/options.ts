import { parseArgs } from 'node:util';
import { STAGES, type Stage, type StageName } from '../../lib/stages.ts';
import { Stop } from './aws-errors.ts';

export const USAGE = `Usage: npm run doctor -- --stage ${Object.keys(STAGES).join('|')} [--region REGION] [--token JWT] [--json]

Looks at a deployed stage and says what to do about each thing that is not as it should be. See docs/doctor.md.

  --stage   what was deployed
  --region  where; default AWS_REGION, AWS_DEFAULT_REGION, or what the profile says
  --token   also opens a session with it; PARLEY_TOKEN keeps it out of the list of processes
  --json    prints one JSON object
`;

export interface CommandLine {
  readonly stage: Stage;
  readonly region?: string;
  readonly endpoint?: string;
  readonly token?: string;
  readonly json: boolean;
}

/** What was asked for; 'help' where that was. @throws {Stop} for what makes no sense. */
export function readCommandLine(args: string[], env: NodeJS.ProcessEnv): CommandLine | 'help' {
  const { values } = parse(args);
  if (values.help) return 'help';
  const token = values.token ?? env['PARLEY_TOKEN'];
  return {
    stage: stageNamed(values.stage),
    json: values.json,
    ...placeAsked(values.region, env),
    ...(token && { token }),
  };
}

/** Where to ask, as far as the command line and the environment say it. */
export function placeAsked(
  given: string | undefined,
  env: NodeJS.ProcessEnv,
): { readonly region?: string; readonly endpoint?: string } {
  const region = [given, env['AWS_REGION'], env['AWS_DEFAULT_REGION']].find(Boolean);
  const endpoint = env['AWS_ENDPOINT_URL'];
  return { ...(region && { region }), ...(endpoint && { endpoint }) };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        stage: { type: 'string' },
        region: { type: 'string' },
        token: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new Stop(`${(error as Error).message.split('. ', 1)[0] ?? ''}. --help says what there is.`);
  }
}

/** Who may connect is of no interest here, so the stage is made without. @throws {Stop} */
export function stageNamed(name: string | undefined): Stage {
  const names = Object.keys(STAGES).join(', ');
  if (name === undefined) throw new Stop(`--stage is missing. Choose one of ${names}.`);
  if (!Object.hasOwn(STAGES, name)) throw new Stop(`There is no stage "${name}". Choose one of ${names}.`);
  return STAGES[name as StageName]({ identity: { issuer: '', audience: '' }, allowedOrigins: [] });
}
