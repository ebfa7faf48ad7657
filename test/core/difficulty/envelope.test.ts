import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { peel } from '../../../src/core/difficulty/envelope.ts';

describe('peel', () => {
  it.each([
    [
      'Claude Code',
      '<system-reminder>\nToday is Monday. Analyze all.\n</system-reminder>\nrename the file',
      'rename the file',
    ],
    [
      'Claude Code, in an IDE',
      '<ide_opened_file>The user opened a.ts</ide_opened_file>rename it',
      'rename it',
    ],
    [
      'Codex',
      '<environment_context>\n  <cwd>/repo</cwd>\n</environment_context>\nfix the typo',
      'fix the typo',
    ],
    [
      'Codex, in an IDE',
      '# Context from my IDE setup:\n\n## Open tabs:\n- a.ts\n\n## My request for Codex:\nfix the typo',
      'fix the typo',
    ],
    [
      'Codex, AGENTS.md',
      '# AGENTS.md instructions for /repo\n\n<INSTRUCTIONS>\nprove everything\n</INSTRUCTIONS>',
      '',
    ],
    [
      'Cursor',
      '<additional_data>open: a.ts</additional_data>\n<user_query>\nfix the typo\n</user_query>',
      'fix the typo',
    ],
    ['Copilot', '<editorContext>a.ts</editorContext>\n<userRequest>\nfix it\n</userRequest>', 'fix it'],
    [
      'Cline',
      '<task>\nfix the typo\n</task>\n\n<environment_details>\nmode: ACT\n</environment_details>',
      '<task>\nfix the typo\n</task>',
    ],
    [
      'a pair inside another',
      '<system-reminder>a <ide_selection>b</ide_selection> c</system-reminder>hi',
      'hi',
    ],
    ['an interruption', '[Request interrupted by user for tool use]', ''],
  ])('leaves the words of a user of %s', (_, text, own) => {
    expect(peel(text)).toBe(own);
  });

  it("keeps tags that are the user's own", () => {
    const text = 'Fill <instructions>be brief</instructions> into <task>x</task> and <b>this</b>; 1 < 2';
    expect(peel(text)).toBe(text);
  });

  it('keeps what follows a tag that is never closed', () => {
    expect(peel('what does <system-reminder> mean?')).toBe('what does <system-reminder> mean?');
  });

  it('leaves a text without harness tags as it is, but for space around it', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const untagged = text.replaceAll('<', '(');
        expect(peel(untagged)).toBe(untagged.trim());
      }),
    );
  });
});
