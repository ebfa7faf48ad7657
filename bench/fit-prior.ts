import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { read } from '../src/core/difficulty/reading.ts';
import { FEATURES, featuresOf, SIGNALS } from '../src/core/difficulty/signals.ts';
import { ASSUMPTIONS, NAMES } from './prior-assumptions.ts';

/**
 * Fits the weights of src/core/difficulty/prior.ts: `node bench/fit-prior.ts DIR`, with DIR holding
 * routellm-train.jsonl.gz and bfcl-train.jsonl.gz. Prints the held-out AUC of each data set and the weights.
 *
 * A logistic model, fitted by its posterior mode: each weight has a normal prior around what we assume without data
 * (prior-assumptions.ts) and keeps its sign. Each data set has an intercept of its own, so that only differences
 * *within* a data set teach (how far its form, its models and its marking are from ours is not the text's fault).
 * anchors.jsonl, written for this, says what the data sets don't hold: chat, agents' errands, text work, coding.
 */
interface Row {
  dataset: string;
  group: string;
  x: number[];
  /** Chance that the small model's failure is one a larger model mends. */
  y: number;
  weight: number;
  gain: boolean;
  fails: boolean;
}

/** The smaller data sets count more a row, lest MMLU's 5,429 decide alone. */
const ROW_WEIGHTS: Record<string, number> = { gsm8k: 3, bfcl: 3 };
/** An anchor counts as this many rows. */
const ANCHOR_WEIGHT = 20;
const ANCHOR_SCORES: Record<string, number> = { easy: 0.05, medium: 0.27, hard: 0.65 };
/** Newton rounds, and how many of them before signs are looked at. */
const ROUNDS = 14;
const SETTLED = 5;

const directory = process.argv[2];
if (directory === undefined || !existsSync(`${directory}/routellm-train.jsonl.gz`)) {
  console.log(
    'no labelled data: name the directory of routellm-train.jsonl.gz and bfcl-train.jsonl.gz; nothing fitted',
  );
} else {
  const labelled = [
    ...labelledRows(`${directory}/routellm-train.jsonl.gz`),
    ...labelledRows(`${directory}/bfcl-train.jsonl.gz`),
  ];
  const anchors = anchorRows();
  const report = {
    rows: labelled.length,
    anchors: anchors.length,
    held_out_auc: {
      groups: heldOut(labelled, anchors, (row) => row.group),
      rows: heldOut(labelled, anchors, (_, at) => String(at)),
    },
    ...describe(fitted([...labelled, ...anchors])),
  };
  console.log(JSON.stringify(report.weights, null, 2));
  console.log(JSON.stringify(report));
}

function labelledRows(path: string): Row[] {
  return lines(gunzipSync(readFileSync(path)).toString()).map((line) => {
    const { dataset, group, prompt, weak, strong } = JSON.parse(line) as {
      dataset: string;
      group: string;
      prompt: string;
      weak: number;
      strong: number; // its README's shape
    };
    // Where both fail, the small one's failure counts half: hard, but not shown to be mended by size.
    const y = strong * (1 - weak) + 0.5 * (1 - strong) * (1 - weak);
    return {
      dataset,
      group,
      x: vector(prompt),
      y,
      weight: ROW_WEIGHTS[dataset] ?? 1,
      gain: strong > weak,
      fails: weak < 0.5,
    };
  });
}

function anchorRows(): Row[] {
  return lines(readFileSync(new URL('anchors.jsonl', import.meta.url), 'utf8')).map((line) => {
    const { tier, prompt } = JSON.parse(line) as { tier: string; prompt: string }; // our own file
    const y = ANCHOR_SCORES[tier] ?? 0;
    return {
      dataset: 'anchors',
      group: tier,
      x: vector(prompt),
      y,
      weight: ANCHOR_WEIGHT,
      gain: y > 0.5,
      fails: y > 0.5,
    };
  });
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

function vector(prompt: string): number[] {
  const features = featuresOf(read(prompt), null);
  return SIGNALS.flatMap((family) => {
    const values = features[family] as Record<string, number>; // its keys are the family's names
    return FEATURES[family].map((name) => values[name] ?? 0);
  });
}

interface Model {
  weights: number[];
  intercepts: Map<string, number>;
}

/**
 * Newton's method on the penalised cross-entropy, which is convex. A weight that comes out with the wrong sign is set
 * to zero and the rest fitted again.
 */
function fitted(rows: Row[]): Model {
  const datasets = [...new Set(rows.map(({ dataset }) => dataset))];
  const count = ASSUMPTIONS.length;
  const columns = count + datasets.length;
  const dropped = new Set<number>();
  const solution = [...ASSUMPTIONS.map(({ weight }) => weight), ...datasets.map(() => -1.5)];
  for (let round = 0; round < ROUNDS; round += 1) {
    const gradient = new Float64Array(columns);
    const hessian = Array.from({ length: columns }, () => new Float64Array(columns));
    for (const row of rows) {
      const intercept = count + datasets.indexOf(row.dataset);
      const features: [number, number][] = [[intercept, 1]];
      row.x.forEach((value, at) => {
        if (value !== 0 && !dropped.has(at)) features.push([at, value]);
      });
      const p = sigmoid(features.reduce((sum, [at, value]) => sum + value * (solution[at] ?? 0), 0));
      for (const [at, value] of features) {
        gradient[at] = (gradient[at] ?? 0) + row.weight * (p - row.y) * value;
        const line = hessian[at];
        if (line)
          for (const [to, other] of features)
            line[to] = (line[to] ?? 0) + row.weight * p * (1 - p) * value * other;
      }
    }
    for (let at = 0; at < columns; at += 1) {
      const { weight, spread } = ASSUMPTIONS[at] ?? { weight: -1.5, spread: 10 };
      gradient[at] = (gradient[at] ?? 0) + ((solution[at] ?? 0) - weight) / spread ** 2;
      const line = hessian[at];
      if (line) line[at] = (line[at] ?? 0) + 1 / spread ** 2;
    }
    const step = solve(hessian, gradient);
    for (let at = 0; at < columns; at += 1) {
      if (dropped.has(at)) continue;
      solution[at] = (solution[at] ?? 0) - (step[at] ?? 0);
      const sign = ASSUMPTIONS[at]?.sign ?? 'any';
      if (round < SETTLED || sign === 'any' || (solution[at] ?? 0) * (sign === '+' ? 1 : -1) >= 0) continue;
      dropped.add(at);
      solution[at] = 0;
    }
  }
  return {
    weights: solution.slice(0, count),
    intercepts: new Map(datasets.map((name, at) => [name, solution[count + at] ?? 0])),
  };
}

/** Gaussian elimination; the matrix is positive definite, so no pivoting is needed. */
function solve(matrix: Float64Array[], right: Float64Array): number[] {
  const size = right.length;
  const lines = matrix.map((line, at) => Float64Array.from([...line, right[at] ?? 0]));
  for (let pivot = 0; pivot < size; pivot += 1) {
    const top = lines[pivot];
    for (const line of lines.slice(pivot + 1)) {
      const factor = (line[pivot] ?? 0) / (top?.[pivot] ?? 1);
      if (factor !== 0)
        for (let at = pivot; at <= size; at += 1) line[at] = (line[at] ?? 0) - factor * (top?.[at] ?? 0);
    }
  }
  const solution = new Array<number>(size).fill(0);
  for (let at = size - 1; at >= 0; at -= 1) {
    const line = lines[at];
    let rest = line?.[size] ?? 0;
    for (let other = at + 1; other < size; other += 1) rest -= (line?.[other] ?? 0) * (solution[other] ?? 0);
    solution[at] = rest / (line?.[at] ?? 1);
  }
  return solution;
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

function predict(weights: number[], intercepts: Map<string, number>, row: Row): number {
  let logit = intercepts.get(row.dataset) ?? -1.5;
  for (let at = 0; at < weights.length; at += 1) logit += (weights[at] ?? 0) * (row.x[at] ?? 0);
  return sigmoid(logit);
}

/** Five folds over whole groups (or rows): AUC within each data set, for gains (strong > weak) and for failures of the weak. */
function heldOut(
  labelled: Row[],
  anchors: Row[],
  key: (row: Row, at: number) => string,
): Record<string, { gain: number; weak_fails: number }> {
  const scored: { row: Row; score: number }[] = [];
  for (let fold = 0; fold < 5; fold += 1) {
    const isTest = (row: Row, at: number): boolean => hash(key(row, at)) % 5 === fold;
    const model = fitted([...labelled.filter((row, at) => !isTest(row, at)), ...anchors]);
    // No intercept: a data set that was held out whole has none, and within one it changes no order.
    labelled.forEach((row, at) => {
      if (isTest(row, at)) scored.push({ row, score: predict(model.weights, new Map(), row) });
    });
  }
  const sets: [string, (row: Row) => boolean][] = [
    ['mmlu', (row) => row.dataset === 'mmlu'],
    ['gsm8k', (row) => row.dataset === 'gsm8k'],
    ['routellm', (row) => row.dataset !== 'bfcl'],
    ['bfcl', (row) => row.dataset === 'bfcl'],
  ];
  return Object.fromEntries(
    sets.map(([name, includes]) => {
      const part = scored.filter(({ row }) => includes(row));
      return [name, { gain: auc(part, (row) => row.gain), weak_fails: auc(part, (row) => row.fails) }];
    }),
  );
}

/** The chance that a random positive scores above a random negative; ties count half. */
function auc(scored: { row: Row; score: number }[], isPositive: (row: Row) => boolean): number {
  const sorted = scored.toSorted((a, b) => a.score - b.score);
  let rankSum = 0;
  let positives = 0;
  for (let from = 0; from < sorted.length; ) {
    let to = from;
    while (to < sorted.length && sorted[to]?.score === sorted[from]?.score) to += 1;
    for (let at = from; at < to; at += 1) {
      const entry = sorted[at];
      if (entry && isPositive(entry.row)) {
        positives += 1;
        rankSum += (from + to + 1) / 2;
      }
    }
    from = to;
  }
  const negatives = sorted.length - positives;
  return round((rankSum - (positives * (positives + 1)) / 2) / (positives * negatives));
}

function hash(text: string): number {
  let value = 2_166_136_261;
  for (let at = 0; at < text.length; at += 1)
    value = Math.imul(value ^ text.charCodeAt(at), 16_777_619) >>> 0;
  return value >>> 8;
}

function describe({ weights, intercepts }: Model) {
  const families = new Map<string, Record<string, number>>();
  NAMES.forEach(([family, name], at) => {
    families.set(family, { ...families.get(family), [name]: round(weights[at] ?? 0, 2) });
  });
  const bias = Object.fromEntries([...intercepts].map(([name, value]) => [name, round(value, 2)]));
  return { bias, weights: Object.fromEntries(families) };
}

function round(value: number, digits = 3): number {
  return Number(value.toFixed(digits));
}
