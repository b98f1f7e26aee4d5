// Runs a Python program on CPython 3.14 compiled to WebAssembly (Pyodide), for
// machines without that version: node pyodide.mjs SCRIPT [ARGUMENT ...]
import { readFileSync, writeSync } from "node:fs";
import { loadPyodide } from "pyodide";

const python = await loadPyodide();
python.setStdout({
  write(bytes) {
    for (let written = 0; written < bytes.length; ) {
      try {
        written += writeSync(1, bytes, written);
      } catch (error) {
        // A pipe that is full at the moment.
        if (error.code !== "EAGAIN") throw error;
      }
    }
    return bytes.length;
  },
});
const [option, ...rest] = process.argv.slice(2);
python.globals.set("arguments", python.toPy(option === "-c" ? ["-c", ...rest.slice(1)] : [option, ...rest]));
python.runPython("import sys; sys.argv[:] = arguments; del arguments");
const program = option === "-c" ? rest[0] : readFileSync(option, "utf8");
python.runPython(program, { filename: option });
python.runPython("sys.stdout.flush()");
