/**
 * What agent harnesses wrap around a user's words (T6). The lists are closed, and hold only names that people don't
 * write themselves: `<instructions>` or `<task>` of the user's own stay. Seen in Claude Code, Codex, Cursor, Cline,
 * Roo, Copilot and OpenHands, 2025-2026.
 */

/** State of the harness: the tag goes with all it holds. */
const STATE = new Set([
  ...['system-reminder', 'system_reminder', 'environment_context', 'environment_details', 'environment_info'],
  ...['user_instructions', 'permissions', 'collaboration_mode', 'skills_instructions', 'turn_aborted'],
  ...[
    'ide_opened_file',
    'ide_opened_files',
    'ide_closed_file',
    'ide_selection',
    'ide_diagnostics',
    'ide_context',
  ],
  ...[
    'local-command-stdout',
    'local-command-stderr',
    'local-command-caveat',
    'command-name',
    'command-message',
  ],
  ...['bash-stdout', 'bash-stderr', 'user-prompt-submit-hook', 'session-start-hook', 'subagent_notification'],
  ...['user_info', 'agent_skills', 'git_status', 'project_layout', 'open_and_recently_viewed_files'],
  ...['attached_files', 'recently_viewed_files', 'linter_errors', 'uploaded_files'],
  ...['editorContext', 'reminderInstructions', 'workspace_info', 'repoContext'],
]);

/** Where one of these is (Cursor, Copilot), the ask is what it holds, and all around it is state. */
const ASK = new Set(['user_query', 'userRequest']);

/** IDE plug-ins put their state before the ask as Markdown, and this line between. */
const HEADING = '## My request for Codex:';

/** Codex sends the project's AGENTS.md as a user message of this form. */
const PROJECT_FILE = { start: '# AGENTS.md instructions', end: '</INSTRUCTIONS>' };

/** Claude Code writes these in the user's name. */
export const INTERRUPTION = '[Request interrupted by user';
const LINES = [`${INTERRUPTION} for tool use]`, `${INTERRUPTION}]`];

/** Longest tag name and longest opening tag with its attributes, in characters. */
const NAME_LIMIT = 34;
const TAG_LIMIT = 512;

/**
 * The user's own words in a user message: harness state removed, a delegated task kept; empty where the message is
 * state alone. Linear in the text: a search for a closing tag starts where the one before ended, and a name that is
 * never closed is searched for once.
 */
export function peel(text: string): string {
  let own = text;
  const heading = own.indexOf(HEADING);
  if (heading >= 0) own = own.slice(heading + HEADING.length);
  if (own.startsWith(PROJECT_FILE.start)) {
    const end = own.indexOf(PROJECT_FILE.end);
    if (end >= 0) own = own.slice(end + PROJECT_FILE.end.length);
  }
  if (own.includes('<')) own = peelTags(own);
  if (own.includes(INTERRUPTION)) for (const line of LINES) own = own.replaceAll(line, '');
  return own.trim();
}

function peelTags(text: string): string {
  const outside: string[] = [];
  const asks: string[] = [];
  const unclosed = new Set<string>();
  let from = 0;
  let at = text.indexOf('<');
  while (at >= 0) {
    const tag = tagAt(text, at);
    if (tag === null) {
      at = text.indexOf('<', at + 1);
      continue;
    }
    const end = unclosed.has(tag.name) ? -1 : text.indexOf(`</${tag.name}>`, tag.end);
    if (end < 0) {
      unclosed.add(tag.name);
      at = text.indexOf('<', tag.end);
      continue;
    }
    outside.push(text.slice(from, at));
    if (ASK.has(tag.name)) asks.push(text.slice(tag.end, end));
    from = end + tag.name.length + 3;
    at = text.indexOf('<', from);
  }
  outside.push(text.slice(from));
  const inside = asks.join('\n').trim();
  return inside === '' ? outside.join('\n') : inside;
}

/** The harness tag that opens at `at`. Case counts: else each spelling of a name would be a search of its own. */
function tagAt(text: string, at: number): { name: string; end: number } | null {
  const length = text.slice(at + 1, at + 1 + NAME_LIMIT).search(/[>\s]/);
  if (length <= 0) return null;
  const name = text.slice(at + 1, at + 1 + length);
  if (!STATE.has(name) && !ASK.has(name)) return null;
  const end = text.slice(at, at + TAG_LIMIT).indexOf('>');
  if (end < 0) return null;
  // Codex's tag has a space in it: `<permissions instructions>…</permissions instructions>`.
  const whole = text.slice(at + 1, at + end);
  return { name: whole === 'permissions instructions' ? whole : name, end: at + end + 1 };
}
