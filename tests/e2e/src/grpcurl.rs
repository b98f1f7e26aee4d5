//! Commands of grpcurl, run by grpcurl or, where that is not installed, by
//! `buf curl`, which is asked for the same.

use std::{env, path::Path, path::PathBuf, time::Duration};

use testkit::{Installation, Process};

/// How long a call may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// The store of the documentation.
const DOCUMENTED: &str = "127.0.0.1:9120";

/// What a command asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `list`, `describe`, or a service and its method.
    what: String,
    body: Option<String>,
    /// Folder and file of the contract, instead of reflection.
    contract: Option<(String, String)>,
}

/// Reads a command line of grpcurl as the documentation has it.
///
/// # Panics
/// When it has another form.
#[must_use]
pub fn parse(line: &str) -> Call {
    let mut words = words(line).into_iter();
    let mut next = || words.next();
    assert_eq!(next().as_deref(), Some("grpcurl"), "{line}");
    let mut call = Call::new("");
    let mut folder = None;
    let mut is_plain = false;
    while let Some(word) = next() {
        match word.as_str() {
            "-plaintext" => is_plain = true,
            "-d" => call.body = next(),
            "-import-path" => folder = next(),
            "-proto" => call.contract = folder.take().zip(next()),
            DOCUMENTED => break,
            other => panic!("{other} in {line}"),
        }
    }
    call.what = next().unwrap_or_default();
    assert!(is_plain && !call.what.is_empty(), "{line}");
    call
}

/// Words of a shell, of which only some are in single quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (number, part) in line.split('\'').enumerate() {
        if number % 2 == 1 {
            words.last_mut().expect("at least one").push_str(part);
            continue;
        }
        for (number, word) in part.split(' ').enumerate() {
            if number > 0 {
                words.push(String::new());
            }
            words.last_mut().expect("at least one").push_str(word);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

impl Call {
    /// A call of a method, such as `herald.v1.StatusService/GetStatus`, that
    /// asks for nothing in particular.
    #[must_use]
    pub fn new(what: &str) -> Self {
        Self {
            what: what.to_owned(),
            body: None,
            contract: None,
        }
    }

    /// The method's name alone; `list` and `describe` are themselves.
    #[must_use]
    pub fn method(&self) -> &str {
        self.what.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it knows the contract by itself, without reflection.
    #[must_use]
    pub fn has_contract(&self) -> bool {
        self.contract.is_some()
    }

    /// Whether it asks for one record only.
    #[must_use]
    pub fn is_limited_to_one(&self) -> bool {
        let body = self.body.as_deref().unwrap_or_default();
        body.contains("\"limit\": 1}")
    }

    /// Starts the call in a folder.
    ///
    /// # Panics
    /// When neither grpcurl nor buf is installed.
    #[must_use]
    pub fn start(&self, herald: &Installation, folder: &Path) -> Process {
        let address = herald.store_url().replace("http://", "");
        let (program, arguments) = match find("grpcurl", folder) {
            Some(grpcurl) => (grpcurl, self.for_grpcurl(&address)),
            None => {
                let buf = find("buf", folder);
                let buf = buf.expect("neither grpcurl nor buf is here: `tests/run prepare`");
                (buf, self.for_buf(&address))
            }
        };
        let arguments = arguments
            .into_iter()
            .map(|argument| argument.replace("@FOLDER@", &folder.display().to_string()));
        // Their caches are nobody's.
        let home = herald.folder().display().to_string();
        Process::start(program, arguments, [("HOME", home)])
    }

    /// Makes the call in a folder; whether it succeeded, and what it wrote.
    ///
    /// # Panics
    /// As [`Call::start`], and when it does not end.
    pub async fn run(&self, herald: &Installation, folder: &Path) -> (bool, String) {
        let mut process = self.start(herald, folder);
        let status = process.end(PATIENCE).await;
        (status.success(), process.stdout() + &process.stderr())
    }

    fn for_grpcurl(&self, address: &str) -> Vec<String> {
        let mut arguments = vec!["-plaintext".to_owned()];
        if let Some((folder, file)) = &self.contract {
            let folder = format!("@FOLDER@/{folder}");
            arguments.extend(["-import-path".to_owned(), folder]);
            arguments.extend(["-proto".to_owned(), file.clone()]);
        }
        if let Some(body) = &self.body {
            arguments.extend(["-d".to_owned(), body.clone()]);
        }
        arguments.push(address.to_owned());
        arguments.push(self.what.clone());
        if self.what == "describe" {
            arguments.push("herald.v1.RecordService".to_owned());
        }
        arguments
    }

    fn for_buf(&self, address: &str) -> Vec<String> {
        let fixed = ["curl", "--http2-prior-knowledge", "--protocol", "grpc"];
        let mut arguments: Vec<String> = fixed.map(str::to_owned).into();
        match self.what.as_str() {
            "list" => arguments.push("--list-services".to_owned()),
            "describe" => arguments.push("--list-methods".to_owned()),
            _ => {}
        }
        if let Some((folder, _)) = &self.contract {
            let folder = format!("@FOLDER@/{folder}");
            arguments.extend(["--schema".to_owned(), folder]);
        }
        if let Some(body) = &self.body {
            arguments.extend(["--data".to_owned(), body.clone()]);
        }
        arguments.push(match self.what.as_str() {
            "list" | "describe" => format!("http://{address}"),
            method => format!("http://{address}/{method}"),
        });
        arguments
    }
}

/// A program of the path, or of the tests' own environment.
fn find(name: &str, root: &Path) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let own = root.join(".venv/bin");
    let mut folders = env::split_paths(&path).chain([own]);
    folders.find_map(|folder| Some(folder.join(name)).filter(|path| path.is_file()))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_command_becomes_what_either_tool_takes() {
        let call = parse(
            "grpcurl -plaintext -import-path proto -proto a/b.proto \
             -d '{\"limit\": 1}' 127.0.0.1:9120 a.B/C",
        );
        assert_eq!(call.method(), "C");
        assert!(call.has_contract());
        assert_eq!(
            call.for_grpcurl("h:1").join("|"),
            "-plaintext|-import-path|@FOLDER@/proto|-proto|a/b.proto|-d|{\"limit\": 1}|h:1|a.B/C"
        );
        assert_eq!(
            call.for_buf("h:1").join("|"),
            "curl|--http2-prior-knowledge|--protocol|grpc|--schema|@FOLDER@/proto|\
             --data|{\"limit\": 1}|http://h:1/a.B/C"
        );
        let list = parse("grpcurl -plaintext 127.0.0.1:9120 list");
        assert_eq!(list.for_grpcurl("h:1"), ["-plaintext", "h:1", "list"]);
        assert_eq!(
            list.for_buf("h:1").join("|"),
            "curl|--http2-prior-knowledge|--protocol|grpc|--list-services|http://h:1"
        );
    }
}
