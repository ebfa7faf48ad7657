import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { pathsThatAnswer } from './gateway-socket.ts';
import { type LocalStack, startLocal } from './stack.ts';
import { messageOf, StartError } from './start-error.ts';
import { welcome } from './welcome.ts';

const HELP = `npm start: the whole gateway on this machine, with nothing else installed.

It runs the Worker in workerd, Postgres and Redis behind the protocols of Neon and Upstash, and simulated
providers unless a provider key is set. Everything is kept in one folder; Ctrl-C stops it and loses nothing.

Settings are environment variables, or lines of a file .env (the environment wins):
  PORT                  8787; 0 takes any free port
  FLUX_DATA_DIR         .flux; delete it to start over
  FLUX_API_KEYS         key[:customer[:scope+scope]],…; without it a key is made and kept
  ANTHROPIC_API_KEY, OPENAI_API_KEY, FLUX_PROVIDERS
                        real providers: calls are then LIVE and cost money
  ANTHROPIC_BASE_URL (without /v1), OPENAI_BASE_URL (with /v1)
  DATABASE_URL, UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN
                        stores of your own in place of the embedded ones

Options:
  --help                this text
`;

const NODE_MAJOR = 24;
/** Signals closer than this, in milliseconds, are one Ctrl-C. */
const SAME_KEYPRESS = 400;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
// A signal that nobody waits for, such as npm's echo of the first, must not end the process the system's way.
for (const signal of SIGNALS) process.on(signal, () => {});

await main();

async function main(): Promise<void> {
  try {
    const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } });
    if (values.help) {
      process.stdout.write(HELP);
      return;
    }
  } catch (error) {
    end(2, `${messageOf(error)}\nnpm start -- --help shows what there is.`);
  }
  if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR) {
    end(
      1,
      `This is Node ${process.versions.node}, and ${NODE_MAJOR} is needed. \`npm start\` brings its own: use that.`,
    );
  }
  try {
    if (existsSync('.env')) process.loadEnvFile('.env');
    await run();
  } catch (error) {
    // What the user can mend needs no stack; anything else is a fault of ours, and wants one.
    end(
      1,
      error instanceof StartError
        ? error.message
        : error instanceof Error
          ? String(error.stack)
          : String(error),
    );
  }
}

async function run(): Promise<void> {
  const begun = performance.now();
  const early = stopOnSignal(() => process.exit(130));
  const stack = await startLocal({
    variables: process.env,
    progress: (step, milliseconds) => console.log(`  ${step.padEnd(22)}${seconds(milliseconds)}`),
    output: (line) => console.log(line),
  });
  early();
  stopOnSignal(() => shutDown(stack));
  stack.died.then((text) =>
    end(1, `${text} Everything else was stopped too; start it again with npm start.`),
  );
  console.log(`  ready after           ${seconds(performance.now() - begun)}`);
  const pages = await pathsThatAnswer(stack.url, ['/docs', '/dashboard']);
  console.log(welcome(stack, pages, await warningsOf(stack.url)));
}

/** What `/health` warns of: models of the tiers that retire. */
async function warningsOf(url: string): Promise<string[]> {
  const response = await fetch(`${url}/health`);
  // Our own route, in this process's own Worker.
  const { warnings } = (await response.json()) as { warnings: string[] };
  return warnings;
}

/** A second signal does not wait for the first one's work. npm passes on the one that the terminal sent us already. */
async function shutDown(stack: LocalStack): Promise<void> {
  setTimeout(() => {
    stopOnSignal(() => {
      stack.kill();
      process.exit(130);
    });
  }, SAME_KEYPRESS);
  console.log('\nStopping: finishing what is under way (Ctrl-C again stops at once).');
  const begun = performance.now();
  const { cut } = await stack.stop();
  const outcome =
    cut === null
      ? 'the gateway hung and was killed: what was in its queue is lost.'
      : cut > 0
        ? `${cut} requests took too long and were cut.`
        : 'nothing was lost.';
  console.log(`Stopped after ${seconds(performance.now() - begun)}; ${outcome}`);
  process.exit(0);
}

/** Runs `stop` at the next signal; gives a function that calls it off. */
function stopOnSignal(stop: () => void): () => void {
  const callOff = (): void => {
    for (const signal of SIGNALS) process.off(signal, run);
  };
  const run = (): void => {
    callOff();
    stop();
  };
  for (const signal of SIGNALS) process.on(signal, run);
  return callOff;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

function end(code: number, message: string): never {
  console.error(message);
  process.exit(code);
}
