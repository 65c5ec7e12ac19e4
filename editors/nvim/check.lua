-- nvim-dap plays a backward pass: a breakpoint, forward, back, and a frame on the source line.
--
--   NVIM_DAP=path/to/nvim-dap PYTHON=.venv/bin/python nvim --headless -u NONE -c "luafile editors/nvim/check.lua"
--
-- Needs a clone of https://github.com/mfussenegger/nvim-dap that fits the Neovim (0.6.0 for Neovim 0.7).

local net = vim.fn.tempname() .. ".py"
vim.fn.writefile({
  "import micrornn as mr",
  "w = mr.Value(0.5, 'w')",
  "def loss():",
  "    h = mr.tensor(1.0, name='h')",
  "    for t in range(1, 4):",
  "        with mr.scope('cell', t=t):",
  "            h = mr.tanh(w * h)",
  "            h.name = 'h'",
  "    return h",
}, net)

local function check()
  vim.opt.runtimepath:prepend(assert(os.getenv("NVIM_DAP"), "set NVIM_DAP to a clone of nvim-dap"))
  local dap = require("dap")
  local python = os.getenv("PYTHON") or "python3"
  dap.adapters.micrornn = {type = "executable", command = python, args = {"-m", "micrornn", "debug", net .. ":loss", "--dap"}}
  dap.configurations.python = {{type = "micrornn", request = "launch", name = "Gradients"}}

  local stops = {}
  dap.listeners.after.event_stopped["check"] = function(_, body) table.insert(stops, body.reason) end
  local function stop(number)
    assert(vim.wait(20000, function() return #stops >= number end), "stop " .. number .. " did not come")
    vim.wait(500, function() return dap.session() and dap.session().current_frame end)
    vim.wait(200)
    return stops[number], dap.session().current_frame
  end

  vim.cmd("edit " .. net)
  vim.bo.filetype = "python"
  vim.api.nvim_win_set_cursor(0, {7, 0})
  dap.set_breakpoint("t < 3")
  dap.run(dap.configurations.python[1])
  assert(stop(1) == "entry")
  dap.continue()
  local reason, frame = stop(2)
  assert(reason == "breakpoint" and frame.name == "h[2] = tanh(mul[2])" and frame.line == 7, vim.inspect(frame))
  dap.step_back()
  reason, frame = stop(3)
  assert(reason == "step" and frame.name == "mul(w, h[2])", vim.inspect(frame))
  dap.terminate()
  vim.wait(500)
end

local ok, problem = pcall(check)
print(ok and "nvim-dap: all is well\n" or tostring(problem) .. "\n")
vim.cmd(ok and "qall!" or "cquit 1")
