// The extension against a stand-in for the editor: what it starts is started, and speaks the protocol.

import assert from "node:assert/strict";
import {spawn} from "node:child_process";
import Module from "node:module";
import test from "node:test";

import {candidates} from "./command";

const PYTHON = process.env.PYTHON ?? "python3";

class DebugAdapterExecutable {
  constructor(readonly command: string, readonly args: string[], readonly options?: unknown) {}
}

const registered: Record<string, unknown> = {};
const editor = {
  DebugAdapterExecutable,
  ViewColumn: {Beside: -2},
  debug: {
    registerDebugAdapterDescriptorFactory: (type: string, factory: unknown) => (registered[`factory ${type}`] = factory),
    registerDebugConfigurationProvider: (type: string, provider: unknown) => (registered[`provider ${type}`] = provider),
  },
  commands: {registerCommand: (name: string, run: unknown) => (registered[name] = run)},
  workspace: {getConfiguration: () => ({get: () => PYTHON})},
  extensions: {getExtension: () => undefined},
  window: {},
};

const loader = Module as unknown as {_load(name: string, ...rest: unknown[]): unknown};
const load = loader._load;
loader._load = (name: string, ...rest: unknown[]) => (name === "vscode" ? editor : load(name, ...rest));

test("it registers what package.json contributes", async () => {
  const {activate} = await import("./extension");
  activate({subscriptions: []} as never);
  assert.deepEqual(Object.keys(registered).sort(), ["factory micrornn", "micrornn.debugFile", "micrornn.play", "provider micrornn"]);
});

test("the adapter that it starts answers, and steps", async () => {
  const {createDebugAdapterDescriptor} = await import("./extension");
  const session = {configuration: {source: "hello", args: ["--cell", "lstm"]}, workspaceFolder: undefined};
  const found = (await createDebugAdapterDescriptor(session as never)) as unknown as DebugAdapterExecutable;
  assert.equal(found.command, PYTHON);
  const child = spawn(found.command, found.args);
  let text = "";
  child.stdout.on("data", (chunk) => (text += String(chunk)));
  let seq = 0;
  const send = (command: string, args: unknown = {}): void => {
    const body = JSON.stringify({seq: ++seq, type: "request", command, arguments: args});
    child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  };
  send("initialize", {adapterID: "micrornn"});
  send("launch", {stopOnEntry: true});
  send("configurationDone");
  send("stackTrace", {threadId: 1});
  send("stepBack", {threadId: 1});
  send("disconnect");
  await new Promise((resolve) => child.on("exit", resolve));
  for (const command of ["initialize", "launch", "configurationDone", "stackTrace", "disconnect"]) {
    assert.match(text, new RegExp(`"command": ?"${command}"`), `${command} was not answered:\n${text}`);
  }
  assert.match(text, /"event": ?"stopped"/);
});

test("the functions that can be named", () => {
  const text = "def train(n=3):\n  pass\ndef needs(x):\n  pass\ndef my_loss():\n  pass\n  def inner():\n    pass\nclass A:\n  def f(self): pass\n";
  assert.deepEqual(candidates(text), ["my_loss", "train"]);
});
