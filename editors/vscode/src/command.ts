// How micrornn is started: by the interpreter, so that no script has to be on the path.

export const START = ["-m", "micrornn"];

export interface Launch {
  source?: string;
  args?: string[];
}

export function adapter(launch: Launch): string[] {
  return [...START, "debug", launch.source ?? "", ...(launch.args ?? []), "--dap"];
}

export function page(source: string, output: string): string[] {
  return [...START, "view", source, "-o", output, "--no-open", "-q"];
}

// The functions of a file that can be called without arguments: what a source may name.
export function candidates(text: string): string[] {
  const names: string[] = [];
  for (const match of text.matchAll(/^(?:async\s+)?def\s+([A-Za-z]\w*)\s*\(([^)]*)\)/gm)) {
    const needed = match[2].split(",").map((part) => part.trim()).filter((part) => part && !part.includes("=") && !part.startsWith("*"));
    if (needed.length === 0) names.push(match[1]);
  }
  return names.sort((a, b) => Number(b.includes("loss")) - Number(a.includes("loss")));
}
