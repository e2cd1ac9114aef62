// Starts `mixc lsp` for `.mix` files and hands it to the editor. All it knows of the language is its name.
const path = require("node:path");
const vscode = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

let client;

/** The command of the settings; a relative program is one of the workspace folder. */
function command() {
  const [program, ...first] = vscode.workspace.getConfiguration("mixc").get("command", ["mixc"]);
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  const relative = /[\\/]/.test(program) && !path.isAbsolute(program);
  return { command: folder && relative ? path.join(folder, program) : program, args: [...first, "lsp"], options: { cwd: folder } };
}

async function start() {
  const server = { ...command(), transport: TransportKind.stdio };
  client = new LanguageClient("mixc", "mixc", server, {
    documentSelector: [{ language: "mix" }],
    synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/*.{mix,json,jsonl,parquet}") },
  });
  try {
    await client.start();
  } catch (error) {
    const said = `mixc: the language server did not start (${server.command}). Install it with: pip install 'mixc[lsp]', or set mixc.command.`;
    const answer = await vscode.window.showErrorMessage(said, "Open settings", "Show output");
    if (answer === "Open settings") vscode.commands.executeCommand("workbench.action.openSettings", "mixc.command");
    if (answer === "Show output") client.outputChannel.show();
  }
}

async function stop() {
  const old = client;
  client = undefined;
  if (old?.isRunning()) await old.stop();
}

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("mixc.restart", async () => {
      await stop();
      await start();
    }),
    vscode.workspace.onDidChangeConfiguration(async (change) => {
      if (!change.affectsConfiguration("mixc.command")) return;
      await stop();
      await start();
    }),
  );
  if (vscode.workspace.isTrusted) await start();
  else context.subscriptions.push(vscode.workspace.onDidGrantWorkspaceTrust(start));
}

module.exports = { activate, deactivate: stop };
