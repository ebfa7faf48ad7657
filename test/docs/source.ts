import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** What the source has that its documents must tell of. Read from its syntax, so that nothing need be listed twice. */

const SOURCE = join(import.meta.dirname, '../../src');

/** Rooms that no deployed gateway runs: what they say, they say to whoever started them. */
const NOT_DEPLOYED = /^(local|cli)\//;

function sourceFiles(): string[] {
  return readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !NOT_DEPLOYED.test(name))
    .map((name) => join(SOURCE, name));
}

const parsed = new Map<string, ts.SourceFile>();

function parse(file: string): ts.SourceFile {
  let tree = parsed.get(file);
  if (!tree) {
    tree = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
    parsed.set(file, tree);
  }
  return tree;
}

function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node);
  node.forEachChild((child) => visit(child, look));
}

function eachNode(look: (node: ts.Node) => void): void {
  for (const file of sourceFiles()) visit(parse(file), look);
}

/** The string literals of an expression: all branches of a conditional, and none where it is computed. */
function words(expression: ts.Node): string[] {
  const found: string[] = [];
  visit(expression, (node) => {
    if (ts.isStringLiteral(node)) found.push(node.text);
  });
  return found;
}

/** Codes of log lines with the levels they are written at. */
export function logCodes(): Map<string, Set<string>> {
  const codes = new Map<string, Set<string>>();
  eachNode((node) => {
    if (!ts.isCallExpression(node) || node.expression.getText() !== 'logLine') return;
    const [level, code] = node.arguments;
    if (!level || !code) return;
    for (const name of words(code)) {
      const levels = codes.get(name) ?? new Set();
      for (const word of words(level)) levels.add(word);
      codes.set(name, levels);
    }
  });
  return codes;
}

/** Codes of errors that a client may see: of every object that has a status and a code, and of `invalidRequest`. */
export function errorCodes(): Set<string> {
  const codes = new Set<string>();
  eachNode((node) => {
    if (ts.isObjectLiteralExpression(node)) {
      const property = (name: string) => node.properties.find((one) => one.name?.getText() === name);
      const code = property('code');
      if (property('status') && code && ts.isPropertyAssignment(code)) {
        for (const word of words(code.initializer)) codes.add(word);
      }
    } else if (ts.isCallExpression(node) && node.expression.getText() === 'invalidRequest') {
      const code = node.arguments[2];
      if (code) for (const word of words(code)) codes.add(word);
    } else if (ts.isParameter(node) && node.name.getText() === 'code' && node.initializer) {
      for (const word of words(node.initializer)) codes.add(word);
    }
  });
  return codes;
}

/** Fields of an interface of a file; `inner` are those of objects written out inside it. */
export function fieldsOf(file: string, name: string): { own: string[]; inner: string[] } {
  const fields = { own: [] as string[], inner: [] as string[] };
  visit(parse(join(SOURCE, file)), (node) => {
    if (!ts.isInterfaceDeclaration(node) || node.name.text !== name) return;
    visit(node, (inner) => {
      if (!ts.isPropertySignature(inner)) return;
      fields[inner.parent === node ? 'own' : 'inner'].push(inner.name.getText());
    });
  });
  return fields;
}

/** The words of a union type of a file. */
export function wordsOf(file: string, name: string): string[] {
  const found: string[] = [];
  visit(parse(join(SOURCE, file)), (node) => {
    if (ts.isTypeAliasDeclaration(node) && node.name.text === name) found.push(...words(node));
  });
  return found;
}

/** Environment variables that the settings read. */
export function variableNames(): Set<string> {
  const names = readdirSync(SOURCE).filter((name) => name.startsWith('env'));
  const text = names.map((name) => readFileSync(join(SOURCE, name), 'utf8')).join('\n');
  return new Set(text.match(/\b(FLUX|DATABASE|UPSTASH|ANTHROPIC|OPENAI)_[A-Z_]*[A-Z]\b/g));
}
