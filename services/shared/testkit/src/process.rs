//! A real process under test.

use std::{
    ffi::OsStr,
    fs::{self, File},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use tokio::process::{Child, Command};

/// A running process. Its output is kept; it is killed when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    output: PathBuf,
    errors: PathBuf,
    _folder: tempfile::TempDir,
}

impl Process {
    /// Starts a program with nothing in its environment but `PATH`, `HOME` and
    /// what is given.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
        environment: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the output");
        let output = folder.path().join("stdout");
        let errors = folder.path().join("stderr");
        let create = |path| File::create(path).expect("a file for the output");
        let program = program.as_ref();
        let kept = ["PATH", "HOME", "PYENV_ROOT"];
        let kept = kept
            .into_iter()
            .filter_map(|name| Some((name, std::env::var_os(name)?)));
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(kept)
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(create(&output))
            .stderr(create(&errors))
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
        Self {
            name: program.display().to_string(),
            child,
            output,
            errors,
            _folder: folder,
        }
    }

    /// The process id.
    ///
    /// # Panics
    /// When it has ended and that was noticed.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id().expect("a running process")
    }

    /// What it has written to stdout so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.output).unwrap_or_default()).into_owned()
    }

    /// What it has written to stderr so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.errors).unwrap_or_default()).into_owned()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends it as a crash would (SIGKILL), and waits for the end.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("it can be killed");
    }

    /// Asks it to end (SIGTERM); does not wait.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Asks it to end as Ctrl-C does (SIGINT); does not wait.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Stops it from running (SIGSTOP) until [`Process::thaw`]. Then all its threads
    /// have stopped.
    ///
    /// # Panics
    /// When that cannot be waited for.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
        let stopped = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        rustix::process::waitid(WaitId::Pid(self.raw()), stopped).expect("it stops");
    }

    /// Lets it run again (SIGCONT).
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end within `deadline`.
    pub async fn end(&mut self, deadline: Duration) -> ExitStatus {
        match tokio::time::timeout(deadline, self.child.wait()).await {
            Ok(status) => status.expect("its end can be waited for"),
            Err(_) => panic!(
                "{} did not end within {deadline:?}\nstdout: {}\nstderr: {}",
                self.name,
                self.stdout(),
                self.stderr()
            ),
        }
    }

    /// Resident memory in bytes (`VmRSS`).
    #[must_use]
    pub fn resident_bytes(&self) -> u64 {
        self.status_bytes("VmRSS:")
    }

    /// The most resident memory it ever had, in bytes (`VmHWM`).
    #[must_use]
    pub fn peak_resident_bytes(&self) -> u64 {
        self.status_bytes("VmHWM:")
    }

    /// CPU time used so far, its own and the kernel's for it.
    ///
    /// # Panics
    /// When the process is gone.
    #[must_use]
    pub fn cpu_time(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).expect("a process");
        let fields = stat.rsplit(')').next().expect("fields after the name");
        let ticks: u64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|field| field.parse::<u64>().expect("a number of ticks"))
            .sum();
        Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second())
    }

    fn status_bytes(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap_or_default();
        status
            .lines()
            .find_map(|line| line.strip_prefix(field))
            .and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok())
            .map_or(0, |kib| kib * 1_024)
    }

    fn signal(&self, signal: Signal) {
        rustix::process::kill_process(self.raw(), signal).expect("it can be signalled");
    }

    fn raw(&self) -> Pid {
        let id = self.child.id();
        id.and_then(|id| Pid::from_raw(id.cast_signed()))
            .unwrap_or_else(|| panic!("{} has ended: {}", self.name, self.stderr()))
    }
}
