//! Runs the program `spool_writer`, alone or under strace, and follows what it
//! tells.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;

use crate::model::{Model, Taken};

/// The program, built if it is not up to date.
pub(crate) fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let profile = test.ancestors().nth(2).expect("target/profile/deps/test");
        let mut build = Command::new(std::env::var("CARGO").unwrap_or("cargo".to_owned()));
        build.args([
            "build",
            "--quiet",
            "--package",
            "bridge",
            "--example",
            "spool_writer",
        ]);
        build
            .arg("--target-dir")
            .arg(profile.parent().expect("target"));
        if profile.ends_with("release") {
            build.arg("--release");
        }
        build.current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(
            build.status().unwrap().success(),
            "building spool_writer failed"
        );
        profile.join("examples/spool_writer")
    })
}

/// A call that goes wrong, in strace's words, such as `fdatasync:error=EIO:when=3`.
/// strace counts the calls of each thread by themselves, so the writer's first ones
/// are met only when counting begins after the start.
#[derive(Debug, Clone)]
pub(crate) struct Injection {
    pub(crate) text: String,
    pub(crate) after_open: bool,
}

impl Injection {
    fn strace(&self) -> Command {
        let found = Command::new("strace")
            .arg("-V")
            .stdout(Stdio::null())
            .status();
        assert!(found.is_ok(), "strace is missing: apt-get install strace");
        let call = self.text.split(':').next().expect("a system call");
        let mut command = Command::new("strace");
        command.args(["-f", "-o", "/dev/null", "-e", &format!("trace={call}")]);
        command.args(["-e", &format!("inject={}", self.text)]);
        command
    }

    /// The program, traced from its first instruction if need be.
    fn start(injection: Option<&Self>) -> Command {
        match injection.filter(|injection| !injection.after_open) {
            None => Command::new(path()),
            Some(injection) => {
                let mut command = injection.strace();
                command.args(["-q", "-q", "-q"]).arg(path());
                command
            }
        }
    }

    /// Attaches strace to the running program; returns when it counts.
    fn attach(&self, child: &Child) -> Child {
        let mut strace = self.strace();
        strace
            .args(["-p", &child.id().to_string()])
            .stderr(Stdio::piped());
        let mut strace = strace.spawn().unwrap();
        let mut told = String::new();
        let mut stderr = BufReader::new(strace.stderr.as_mut().unwrap());
        stderr.read_line(&mut told).unwrap();
        assert!(told.contains("attached"), "strace cannot attach: {told}");
        strace
    }
}

/// How a run of the program ended.
pub(crate) enum Ended {
    Finished,
    /// It told that the spool failed, and why.
    Failed(String),
    Killed,
}

/// Runs the program without anything going wrong.
pub(crate) fn finish(model: &mut Model, dir: &Path, run: (u64, u64)) {
    let ended = self::run(model, dir, run, None, None);
    assert!(matches!(ended, Ended::Finished), "a run without faults");
}

/// Runs the program and takes into the model what it tells; kills it after
/// `lines` lines of that.
pub(crate) fn run(
    model: &mut Model,
    dir: &Path,
    (run, batches): (u64, u64),
    injection: Option<&Injection>,
    lines: Option<usize>,
) -> Ended {
    let mut command = Injection::start(injection);
    command
        .arg(dir)
        .arg(run.to_string())
        .arg(batches.to_string());
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Killed early, it reads nothing.
    let _ = stdin.write_all(expectations(model).as_bytes());
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let mut strace = None;
    let mut seen = 0;
    let mut failure = String::new();
    for line in stdout.lines().map_while(Result::ok) {
        if let Some(why) = line.strip_prefix("failed ") {
            why.clone_into(&mut failure);
        }
        if line == "ready" {
            let later = injection.filter(|injection| injection.after_open);
            strace = later.map(|injection| injection.attach(&child));
            let _ = stdin.write_all(b"go\n");
        }
        follow(model, &line);
        seen += 1;
        if lines == Some(seen) {
            child.kill().unwrap();
        }
    }
    let output = child.wait_with_output().unwrap();
    if let Some(mut strace) = strace {
        strace.wait().unwrap();
    }
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!told.contains("panicked"), "{told}");
    ended(output.status, failure, &told)
}

fn expectations(model: &Model) -> String {
    let mut lines = String::new();
    for (name, store) in &model.stores {
        for (bridge_id, next) in &store.expected {
            lines.push_str(&format!("{name} {bridge_id} {next}\n"));
        }
    }
    lines + "\n"
}

fn ended(status: ExitStatus, failure: String, told: &str) -> Ended {
    match status.code() {
        Some(0) => Ended::Finished,
        Some(3) => Ended::Failed(failure),
        // strace ends by the signal that ended the program.
        None => Ended::Killed,
        Some(code) => panic!("exit code {code}: {told}"),
    }
}

fn follow(model: &mut Model, line: &str) {
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        ["synced", run, frames] => {
            model
                .synced
                .insert(run.parse().unwrap(), frames.parse().unwrap());
        }
        ["got", name, bridge_id, first, ref items @ ..] => {
            let items = items.iter().map(|item| match item.strip_prefix("gap.") {
                Some(count) => Taken::Gap(count.parse().unwrap()),
                None => Taken::Frame((*item).to_owned()),
            });
            let store = model.stores.entry(name.to_owned()).or_default();
            store.take(bridge_id.parse().unwrap(), first.parse().unwrap(), items);
        }
        ["open" | "failed", ..] | ["ready" | "closed"] => {}
        _ => panic!("unexpected line {line:?}"),
    }
}
