import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { type Gateway, startGateway } from './gateway.ts';

const HELP = `Claude Code and Codex themselves, unmodified, each at one small task through the gateway.

  npm run try:clients [-- --keep FOLDER]

Installs both from npm into a temporary folder (800 MB, which is why no test does it), starts the local stack with
scripted providers, and lets each read a file by a tool of its own, on Claude and on GPT, as \`auto\` and by a model's
name. Each has a home of its own and no way out but the gateway. --keep installs into FOLDER and leaves it there.
Exit 1 if one of them fails.
`;

const PACKAGES = ['@anthropic-ai/claude-code@2.1.332', '@openai/codex@0.171.0'];
/** What is in the file, and what the model says at last: neither can come from anywhere else. */
const SECRET = 'The magic word is xyzzy.';
const DONE = 'I have read it, says the script.';
const TASK = 'Read note.txt and say what is in it.';
/** Milliseconds; each takes two or three seconds. */
const LIMIT = 120_000;

const DEPLOYMENTS = [
  { of: 'Claude', models: ['auto', 'claude-opus-5-5'], variables: {} },
  {
    of: 'GPT',
    models: ['auto', 'gpt-6.2-sol'],
    variables: {
      FLUX_TIERS: JSON.stringify({ easy: ['gpt-6-luna'], medium: ['gpt-6.1-terra'], hard: ['gpt-6.2-sol'] }),
    },
  },
];

interface Place {
  home: string;
  work: string;
}
interface Client {
  name: string;
  /** How it reads a file: the call a model would make. */
  call(place: Place): { name: string; arguments: Record<string, unknown> };
  run(place: Place, gateway: Gateway, model: string): [args: string[], env: Record<string, string>];
}

const CLIENTS: Client[] = [
  {
    name: 'claude',
    call: ({ work }) => ({ name: 'Read', arguments: { file_path: join(work, 'note.txt') } }),
    run: (_place, { stack }, model) => [
      ['-p', TASK, '--allowedTools', 'Read'],
      {
        ANTHROPIC_BASE_URL: stack.url,
        ANTHROPIC_AUTH_TOKEN: stack.key,
        ANTHROPIC_MODEL: model,
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
        DISABLE_AUTOUPDATER: '1',
      },
    ],
  },
  {
    name: 'codex',
    call: () => ({ name: 'exec_command', arguments: { cmd: 'cat note.txt' } }),
    run: ({ home }, { stack }, model) => {
      const settings = [
        `model = "${model}"`,
        'model_provider = "flux"',
        'approval_policy = "never"',
        'sandbox_mode = "danger-full-access"',
        'check_for_update_on_startup = false',
        '[model_providers.flux]',
        'name = "FluxCompute"',
        `base_url = "${stack.url}/v1"`,
        'env_key = "FLUX_KEY"',
        'wire_api = "responses"',
        '[analytics]',
        'enabled = false',
      ];
      writeFileSync(join(home, 'config.toml'), settings.join('\n'));
      return [['exec', '--skip-git-repo-check', TASK], { CODEX_HOME: home, FLUX_KEY: stack.key }];
    },
  },
];

const { values } = parseArgs({
  options: { help: { type: 'boolean', short: 'h' }, keep: { type: 'string' } },
});
if (values.help) process.stdout.write(HELP);
else await main(values.keep);

async function main(keep: string | undefined): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'flux-clients-'));
  try {
    const bin = await install(keep ?? join(folder, 'packages'));
    for (const { of, models, variables } of DEPLOYMENTS) {
      const gateway = await startGateway(join(folder, 'data'), variables);
      for (const client of CLIENTS) {
        for (const model of models) {
          const wrong = await attempt(client, gateway, model, bin, folder);
          console.log(`${wrong === null ? 'ok  ' : 'FAIL'} ${client.name} on ${of}, model ${model}`);
          if (wrong === null) continue;
          console.log(wrong);
          process.exitCode = 1;
        }
      }
      await gateway.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Puts both packages into a folder. @returns where their commands are */
async function install(folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  const run = promisify(execFile);
  await run('npm', ['install', '--no-audit', '--no-fund', ...PACKAGES], { cwd: folder });
  // Puts the program in its place; npm may leave out what packages want to run.
  await run('node', [join(folder, 'node_modules/@anthropic-ai/claude-code/install.cjs')], { cwd: folder });
  return join(folder, 'node_modules/.bin');
}

/** Lets a client do the task once. @returns what went wrong */
async function attempt(
  client: Client,
  gateway: Gateway,
  model: string,
  bin: string,
  folder: string,
): Promise<string | null> {
  const place = { home: join(folder, 'home'), work: join(folder, 'work') };
  for (const path of [place.home, place.work]) {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path);
  }
  writeFileSync(join(place.work, 'note.txt'), SECRET);
  const calls = [client.call(place)];
  await gateway.script(
    { match: { contains: 'note.txt' }, answer: { text: 'I look.', calls } },
    { answer: { text: DONE, calls: [] } },
  );
  const before = (await gateway.sent()).length;
  const [args, own] = client.run(place, gateway, model);
  const { output, code } = await start(join(bin, client.name), args, place, own);
  const sent = (await gateway.sent()).slice(before);
  const refused = sent.filter(({ status }) => status !== 200).map(({ path, error }) => `${path}: ${error}`);
  if (refused.length > 0) return `a provider refused: ${refused.join('; ')}\n${output}`;
  if (!JSON.stringify(sent.at(-1)?.body ?? null).includes(SECRET)) return `the file was not read:\n${output}`;
  return code === 0 && output.includes(DONE) ? null : `it ended with ${code}:\n${output}`;
}

/** Without any variable of ours, and with a proxy that nobody answers at for everything but this machine. */
function start(
  command: string,
  args: string[],
  { home, work }: Place,
  own: Record<string, string>,
): Promise<{ output: string; code: unknown }> {
  const { PATH } = process.env;
  const closed = 'http://127.0.0.1:9';
  const alone = { HTTPS_PROXY: closed, HTTP_PROXY: closed, NO_PROXY: '127.0.0.1' };
  const env = { PATH, HOME: home, TERM: 'dumb', LANG: 'C.UTF-8', ...alone, ...own };
  return new Promise((resolve) => {
    const child = execFile(command, args, { cwd: work, env, timeout: LIMIT }, (error, stdout, stderr) => {
      resolve({ output: stdout + stderr, code: error === null ? 0 : (error.code ?? error.signal) });
    });
    child.stdin?.end();
  });
}
