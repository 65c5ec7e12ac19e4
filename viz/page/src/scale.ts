// From the norm of a gradient to a color and a width, on the logarithmic scale that the picture has too.

import type {Story} from "./data";

const dark = window.matchMedia("(prefers-color-scheme: dark)");

export function theme(): "light" | "dark" {
  return dark.matches ? "dark" : "light";
}

export function part(story: Story, norm: number): number {
  if (!(norm > 0)) return 0;
  if (!Number.isFinite(norm)) return 1;
  return Math.min(1, Math.max(0, (Math.log10(norm) - story.low) / (story.high - story.low)));
}

export function color(story: Story, norm: number): string {
  if (Number.isNaN(norm)) return "var(--alarm)";
  const colors = story.scales[theme()];
  const at = part(story, norm) * (colors.length - 1);
  const i = Math.min(colors.length - 2, Math.floor(at));
  return mix(colors[i]!, colors[i + 1]!, at - i);
}

const SHADES = 48;

// Many marks by color, as one path for each shade: some dozen elements, however many marks there are.
export function shaded(story: Story, norms: (number | null)[], mark: (i: number) => string): Map<string, string> {
  const found = new Map<string, string[]>();
  norms.forEach((norm, i) => {
    if (!arrives(norm)) return;
    const shade = Number.isNaN(norm) ? NaN : 10 ** (story.low + (Math.round(SHADES * part(story, norm)) / SHADES) * (story.high - story.low));
    const fill = color(story, shade);
    const known = found.get(fill);
    if (known) known.push(mark(i));
    else found.set(fill, [mark(i)]);
  });
  return new Map([...found].map(([fill, marks]) => [fill, marks.join("")]));
}

export function width(story: Story, norm: number): number {
  if (Number.isNaN(norm)) return 6;
  return 1.6 + 9.4 * part(story, norm);
}

function mix(a: string, b: string, t: number): string {
  const channel = (k: number): string => {
    const [x, y] = [parseInt(a.slice(k, k + 2), 16), parseInt(b.slice(k, k + 2), 16)];
    return Math.round(x + (y - x) * t).toString(16).padStart(2, "0");
  };
  return `#${channel(1)}${channel(3)}${channel(5)}`;
}

// The color of a number among others: its size alone, the sign is shown by the border.
export function heat(v: number, most: number, strongest = 30): string {
  return `color-mix(in srgb, var(--accent) ${Math.round(strongest * Math.min(1, Math.abs(v) / most))}%, var(--paper))`;
}

// Whether a gradient is there: a number other than 0, or NaN.
export function arrives(norm: number | null | undefined): norm is number {
  return norm !== null && norm !== undefined && norm !== 0;
}

export function digits(x: number | null | undefined): string {
  if (x === null || x === undefined) return "–";
  if (x === 0) return "0";
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x > 0 ? "∞" : "−∞";
  const size = Math.abs(x);
  if (size < 1e-3 || size >= 1e5) return x.toExponential(1).replace("e-", "e−").replace("e+", "e");
  return String(Number(x.toPrecision(3)));
}

export function percent(share: number, places = 1): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(places)}%` : "–";
}

export function redrawOnTheme(redraw: () => void): void {
  dark.addEventListener("change", redraw);
}
