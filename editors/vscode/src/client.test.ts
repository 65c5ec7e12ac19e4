// The adapter against Microsoft's test client, which checks each answer as VS Code expects it.

import assert from "node:assert/strict";
import {mkdtempSync, writeFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import test from "node:test";

import {DebugClient} from "@vscode/debugadapter-testsupport";

const PYTHON = process.env.PYTHON ?? "python3";
const NET = `import micrornn as mr
w = mr.Value(0.5, "w")
def loss():
    h = mr.tensor(1.0, name="h")
    for t in range(1, 4):
        with mr.scope("cell", t=t):
            h = mr.tanh(w * h)
            h.name = "h"
    return h
`;

async function started(): Promise<{client: DebugClient; file: string}> {
  const folder = mkdtempSync(join(tmpdir(), "micrornn-"));
  const file = join(folder, "net.py");
  writeFileSync(file, NET);
  const adapter = join(folder, "adapter.py"); // the client starts one file
  writeFileSync(adapter, `import sys\nfrom cli import main\nsys.argv = ["micrornn", "debug", ${JSON.stringify(file)} + ":loss", "--dap"]\nmain()\n`);
  const client = new DebugClient(PYTHON, adapter, "micrornn");
  client.defaultTimeout = 30000;
  await client.start();
  return {client, file};
}

test("a breakpoint is hit, and a step is taken back", async () => {
  const {client, file} = await started();
  await client.hitBreakpoint({source: `${file}:loss`, stopOnEntry: false}, {path: file, line: 7});
  await Promise.all([client.stepBackRequest({threadId: 1}), client.waitForEvent("stopped")]);
  const {body} = await client.stackTraceRequest({threadId: 1});
  assert.equal(body.stackFrames[0].line, 7);
  await client.stop();
});

test("a gradient is set, and a log point says what it sees", async () => {
  const {client, file} = await started();
  await Promise.all([
    client.waitForEvent("initialized").then(async () => {
      await client.setBreakpointsRequest({source: {path: file}, breakpoints: [{line: 7, logMessage: "t={t}"}]});
      await client.configurationDoneRequest();
    }),
    client.launch({source: `${file}:loss`} as never),
    client.waitForEvent("stopped"),
  ]);
  const {body} = await client.scopesRequest({frameId: 1});
  const reference = body.scopes[0].variablesReference;
  await client.variablesRequest({variablesReference: reference});
  const answer = await client.setVariableRequest({variablesReference: reference, name: "gradient", value: "2"});
  assert.equal(answer.body.value, "2");
  await Promise.all([client.assertOutput("console", "t=3\nt=2\n"), client.continueRequest({threadId: 1})]);
  await client.stop();
});
