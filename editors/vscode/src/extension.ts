// The extension: a debug adapter, a command that starts it on the open file, and the page beside the source.

import {execFile} from "node:child_process";
import {mkdtempSync, readFileSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import * as vscode from "vscode";

import {type Launch, adapter, candidates, page} from "./command";

export function activate(context: vscode.ExtensionContext): void {
  context.subscriptions.push(
    vscode.debug.registerDebugAdapterDescriptorFactory("micrornn", {createDebugAdapterDescriptor}),
    vscode.debug.registerDebugConfigurationProvider("micrornn", {resolveDebugConfiguration}),
    vscode.commands.registerCommand("micrornn.debugFile", debugFile),
    vscode.commands.registerCommand("micrornn.play", play),
  );
}

export async function createDebugAdapterDescriptor(session: vscode.DebugSession): Promise<vscode.DebugAdapterDescriptor> {
  const launch: vscode.DebugConfiguration & Launch = session.configuration;
  const folder = session.workspaceFolder?.uri.fsPath;
  const python = (launch.python as string | undefined) || (await interpreter(session.workspaceFolder?.uri));
  return new vscode.DebugAdapterExecutable(python, adapter(launch), folder ? {cwd: folder} : undefined);
}

// F5 without a configuration debugs the open file.
async function resolveDebugConfiguration(
  folder: vscode.WorkspaceFolder | undefined,
  config: vscode.DebugConfiguration,
): Promise<vscode.DebugConfiguration | undefined> {
  if (config.source) return config;
  const source = await sourceOfFile();
  if (!source) return undefined;
  return {stopOnEntry: true, ...config, type: "micrornn", request: "launch", name: config.name || "Gradients", source};
}

async function debugFile(): Promise<void> {
  const source = await sourceOfFile();
  if (!source) return;
  const file = vscode.window.activeTextEditor?.document.uri;
  const folder = file && vscode.workspace.getWorkspaceFolder(file);
  await vscode.debug.startDebugging(folder, {type: "micrornn", request: "launch", name: "Gradients", source, stopOnEntry: true});
}

async function sourceOfFile(): Promise<string | undefined> {
  const document = vscode.window.activeTextEditor?.document;
  if (!document || document.languageId !== "python") {
    void vscode.window.showErrorMessage("micrornn: open a Python file with a function that returns a loss.");
    return undefined;
  }
  await document.save();
  const names = candidates(document.getText());
  if (names.length === 0) {
    void vscode.window.showErrorMessage("micrornn: no function without arguments in this file. Define one that computes a loss and returns it.");
    return undefined;
  }
  const name = names.length === 1 ? names[0] : await vscode.window.showQuickPick(names, {title: "Which function computes the loss?"});
  return name && `${document.fileName}:${name}`;
}

async function play(): Promise<void> {
  const source = await sourceOfFile();
  if (!source) return;
  const output = join(mkdtempSync(join(tmpdir(), "micrornn-")), "run.html");
  const file = vscode.window.activeTextEditor?.document.uri;
  const python = await interpreter(file);
  execFile(python, page(source, output), {cwd: file && vscode.workspace.getWorkspaceFolder(file)?.uri.fsPath}, (error, _, complaint) => {
    if (error) {
      void vscode.window.showErrorMessage(complaint.trim() || error.message);
      return;
    }
    const panel = vscode.window.createWebviewPanel("micrornn", "Backward pass", vscode.ViewColumn.Beside, {enableScripts: true, retainContextWhenHidden: true});
    panel.webview.html = readFileSync(output, "utf8");
  });
}

// The setting, the choice of the Python extension, or python3.
async function interpreter(scope: vscode.Uri | undefined): Promise<string> {
  const set = vscode.workspace.getConfiguration("micrornn", scope).get<string>("python");
  if (set) return set;
  const extension = vscode.extensions.getExtension("ms-python.python");
  if (extension) {
    const api = (await extension.activate()) as {environments?: {getActiveEnvironmentPath(scope?: vscode.Uri): {path: string}}};
    const found = api.environments?.getActiveEnvironmentPath(scope).path;
    if (found) return found;
  }
  return process.platform === "win32" ? "python" : "python3";
}
