import { writeFile } from 'node:fs/promises';
import { setImmediate as breathe } from 'node:timers/promises';
import { type Command, command } from './command.ts';
import { CommandError, wrongUsage } from './command-error.ts';
import { UnreadableRecord } from './replay/log-entry.ts';
import { readLogEntry } from './replay/log-formats.ts';
import { openProgress } from './replay/progress.ts';
import { type LogRecord, openLog } from './replay/records.ts';
import { type NotRead, reportOf } from './replay/replay-report.ts';
import { readReplayOptions } from './replay/replay-settings.ts';
import { reportPage } from './replay/report-page.ts';
import { describeReport } from './replay/report-text.ts';
import { type Simulation, startSimulation } from './replay/simulation.ts';

const HELP = `Usage: flux replay --traces FILE [--traces FILE …] [options]

What your own logs would have cost: every step is sent through simulated prompt caches under each policy, the real
router among them. Nothing is called and nothing leaves this machine.

  --traces FILE       a log: JSON lines or one JSON array, gzip or not; - is standard input. Formats, told apart line
                      by line: traces {id, messages, tools?, model?, usage?, at?}; requests with their answers
                      {request, response, at?}, in the format of OpenAI Chat, OpenAI Responses or Anthropic Messages;
                      what LiteLLM and Langfuse export. In the order of time
  --tiers TIERS       anthropic, openai, or JSON as in FLUX_TIERS; else FLUX_TIERS, else the default
  --baseline MODEL    what "the top" is; else FLUX_BASELINE_MODEL, else the first of hard
  --profile p.json    the scorer to use in place of the shipped one
  --prices JSON       USD per million tokens: {"MODEL": {"input": 1, "output": 5, "cache_read": 0.1, "cache_write": 1.25}}
  --at YYYY-MM-DD     the day whose prices count; else today
  --oracle-share N    most of the saving that measuring may take; else FLUX_ORACLE_SHARE, else 0.10
  --plan ID[:STEP]    the plan of each step of a trace or request, with every candidate's price
  --html FILE         a report with charts, one file that loads nothing: numbers, no content
  --json              everything as one JSON object

Records that can't be read are counted and the first ten shown; exit code 1 only where there was no step at all.
`;

/** Records that are shown of those that can't be read. */
const SHOWN = 10;
/** Records between two chances for the stream and the terminal. */
const BREATH = 64;

/** `flux replay` */
export const replayCommand: Command = command({
  name: 'replay',
  help: HELP,
  options: {
    traces: { type: 'string', multiple: true },
    ...{ tiers: { type: 'string' }, baseline: { type: 'string' }, profile: { type: 'string' } },
    ...{ prices: { type: 'string' }, at: { type: 'string' }, 'oracle-share': { type: 'string' } },
    ...{ plan: { type: 'string' }, html: { type: 'string' } },
  },
  async run({ traces, plan, html, ...flags }, shell) {
    if (traces === undefined)
      throw wrongUsage('say which log: --traces FILE, or --traces - for standard input');
    const options = await readReplayOptions(flags, shell);
    const simulation = startSimulation(options, plan ?? null);
    const report = reportOf(simulation, options, await readLogs(traces, simulation));
    if (html !== undefined) await writePage(html, reportPage(report));
    const wanted =
      plan !== undefined && report.plans.length === 0 ? `\nNo step is called ${plan} (--plan).\n` : '';
    return { json: report, text: describeReport(report) + wanted, failed: report.read.steps === 0 };
  },
});

async function readLogs(
  paths: readonly string[],
  simulation: Simulation,
): Promise<{ records: number; notRead: NotRead }> {
  const notRead: NotRead = { records: 0, first: [] };
  const progress = openProgress();
  let records = 0;
  try {
    for (const path of paths) {
      const source = await openLog(path);
      for await (const record of source.records()) {
        records += 1;
        const why = take(record, simulation);
        if (why !== null) {
          notRead.records += 1;
          if (notRead.first.length < SHOWN) notRead.first.push({ file: path, line: record.line, why });
        }
        if (records % BREATH === 0) {
          progress.show(source, simulation.counts.steps);
          await breathe();
        }
      }
    }
  } finally {
    progress.end();
  }
  simulation.end();
  return { records, notRead };
}

/** Null, or why the record can't be read. */
function take({ text }: LogRecord, simulation: Simulation): string | null {
  try {
    simulation.take(readLogEntry(text));
    return null;
  } catch (error) {
    if (error instanceof UnreadableRecord) return error.message;
    throw error;
  }
}

async function writePage(path: string, page: string): Promise<void> {
  try {
    await writeFile(path, page);
  } catch (error) {
    throw new CommandError(`--html ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
