import { migrate } from '../log/migrate.ts';
import { type Command, command, type Outcome } from './command.ts';
import { CommandError } from './command-error.ts';
import { readSchemaState } from './migrations.ts';
import { databaseUrlOf, storeProblem } from './stores.ts';

const HELP = `Usage: flux migrate [--status] [--database URL] [--json]

Brings the schema of Postgres up to date: applies the migrations of this version (drizzle/) that the database lacks,
and prints them. Safe to run again, and by several at once. Migrations only ever go forward; an older version of the
gateway runs on a newer schema.

  --status        change nothing; say what is behind (exit code 1 if anything is)
  --database URL  postgresql://…; else DATABASE_URL, else that of the running npm start (FLUX_DATA_DIR).
                  Others on this machine can see arguments: prefer the variable
  --json          {"applied": […]}, with --status {"applied": […], "pending": […], "newer": […]}
`;

/** `flux migrate` */
export const migrateCommand: Command = command({
  name: 'migrate',
  help: HELP,
  options: { database: { type: 'string' }, status: { type: 'boolean' } },
  async run({ database, status }, shell) {
    const url = await databaseUrlOf(shell, database);
    try {
      if (status) return describe(await readSchemaState(url));
      shell.note('Applying migrations …');
      const { applied } = await migrate(url);
      return {
        json: { applied },
        text:
          applied.length === 0 ? 'Nothing to do: the schema is up to date.\n' : listed('applied', applied),
      };
    } catch (error) {
      throw new CommandError(storeProblem(error));
    }
  },
});

function describe(state: Awaited<ReturnType<typeof readSchemaState>>): Outcome {
  const behind = state.pending.length > 0;
  return {
    json: state,
    text: [
      listed('applied', state.applied),
      listed('pending', state.pending),
      listed('newer  ', state.newer),
      behind
        ? `The schema is behind by ${state.pending.length}: run \`flux migrate\` before you deploy.\n`
        : 'The schema is up to date.\n',
    ].join(''),
    failed: behind,
  };
}

function listed(word: string, names: readonly string[]): string {
  return names.map((name) => `${word}  ${name}\n`).join('');
}
