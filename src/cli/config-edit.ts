import { wrongUsage } from './command-error.ts';

/** What `flux init` decides in wrangler.toml; an absent one stays as it is. */
export interface ConfigChange {
  /** The Worker's name, which its queues' names begin with. */
  name?: string | undefined;
  accountId?: string | undefined;
  /** `placement.region`, e.g. `aws:us-east-2`. */
  region?: string | undefined;
  /** Paths of src/worker.ts and of the page's files from the file, where it is a copy elsewhere. */
  main?: string | undefined;
  assets?: string | undefined;
  /** The folder that `[build]` runs in. */
  build?: string | undefined;
}

interface Line {
  text: string;
  /** Name of the table it stands in, '' at the top. */
  table: string;
}

/**
 * The text of a wrangler.toml with one environment (null: the top level) changed, and nothing else: comments, order
 * and what a user added stay. Names are changed where they are the Worker's own or begin with it.
 */
export function editConfig(text: string, environment: string | null, change: ConfigChange): string {
  let lines = linesOf(text);
  const prefix = environment === null ? '' : `env.${environment}`;
  if (change.name !== undefined) lines = rename(lines, prefix, change.name);
  if (change.main !== undefined) lines = setValue(lines, '', 'main', change.main);
  if (change.assets !== undefined) lines = setValue(lines, 'assets', 'directory', change.assets);
  if (change.build !== undefined) lines = setValue(lines, 'build', 'cwd', change.build);
  if (change.accountId !== undefined) lines = setValue(lines, prefix, 'account_id', change.accountId);
  if (change.region !== undefined) {
    const table = prefix === '' ? 'placement' : `${prefix}.placement`;
    // A placement has one of them only.
    lines = lines.filter((line) => line.table !== table || !/^\s*(mode|host|hostname)\s*=/.test(line.text));
    lines = setValue(lines, table, 'region', change.region);
  }
  return lines.map((line) => line.text).join('\n');
}

function linesOf(text: string): Line[] {
  let table = '';
  return text.split('\n').map((line) => {
    table = /^\s*\[{1,2}\s*([^\]\s]+)\s*\]/.exec(line)?.[1] ?? table;
    return { text: line, table };
  });
}

/** Whether a table is the environment's: for the top level, any that is no environment's. */
function belongs(table: string, prefix: string): boolean {
  if (prefix === '') return !/^env(\.|$)/.test(table);
  return table === prefix || table.startsWith(`${prefix}.`);
}

const NAME = /^(\s*(?:name|queue|dead_letter_queue)\s*=\s*)"([^"]*)"/;

function rename(lines: readonly Line[], prefix: string, name: string): Line[] {
  const head = lines.find((line) => line.table === prefix && /^\s*name\s*=/.test(line.text));
  const old = head && NAME.exec(head.text)?.[2];
  if (!old) {
    throw wrongUsage(
      `wrangler.toml has no name in [${prefix || 'the top level'}]: write one, e.g. name = "${name}"`,
    );
  }
  return lines.map((line) => {
    const value = NAME.exec(line.text)?.[2];
    if (value === undefined || !belongs(line.table, prefix)) return line;
    if (value !== old && !value.startsWith(`${old}-`)) return line;
    return { ...line, text: line.text.replace(NAME, `$1"${name}${value.slice(old.length)}"`) };
  });
}

/** Sets `key` in a table, which is made at the end of the file where there is none. */
function setValue(lines: readonly Line[], table: string, key: string, value: string): Line[] {
  const text = `${key} = ${JSON.stringify(value)}`;
  const at = lines.findIndex(
    (line) => line.table === table && new RegExp(`^\\s*${key}\\s*=`).test(line.text),
  );
  if (at >= 0) return lines.map((line, index) => (index === at ? { ...line, text } : line));
  const name = lines.findIndex((line) => line.table === table && /^\s*(name\s*=|\[)/.test(line.text));
  if (name >= 0) return [...lines.slice(0, name + 1), { text, table }, ...lines.slice(name + 1)];
  const end = lines.findLastIndex((line) => line.text.trim() !== '') + 1;
  const added = ['', `[${table}]`, text, ''].map((line) => ({ text: line, table }));
  return [...lines.slice(0, end), ...added];
}
