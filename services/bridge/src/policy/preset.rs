//! The masks that come with Herald. Each finds more rather than less, but not what
//! everyday lines are full of: times are no addresses, order numbers no cards.

use std::net::Ipv6Addr;
use std::ops::Range;

use super::mask::Mask;
use super::shape::{
    ACCOUNT, ASSIGNS, AT, AUTHORIZATION_NAME, COLON, COLONS, PASSWORD_NAME, QUAD, SMALL_ACCOUNT,
    TOKEN_BEGIN, TOKEN_NAME, TWELVE_DIGITS,
};

/// Looks at what an expression has found in a text: where the thing really is, or
/// `None`.
pub(crate) type Check = fn(&str, Range<usize>) -> Option<Range<usize>>;

/// Their names.
pub(crate) const NAMES: [&str; 6] = ["email", "card", "iban", "token", "password", "ip"];

const EMAIL: &str =
    r#"[^\s@<>"'(),;:=\[\]{}|/\\]+@[^\s@<>"'(),;:=\[\]{}|/\\]*[^\s@<>"'(),;:=\[\]{}|/\\.]"#;
const CARD: &str = r"[0-9](?:[ -]?[0-9]){11,}";
const IBAN: &str = r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}(?: ?[A-Z0-9]{1,3})?\b";
/// In small letters it is told from other words by its check digits.
const SMALL_IBAN: &str = r"(?i-u)\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,}";
const KNOWN_TOKEN: &str = concat!(
    r"(?:eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?",
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}",
    r"|(?:gh[pousr]|github_pat)_[A-Za-z0-9_]{20,}",
    r"|(?:glpat|sk|xox[abposr])-[A-Za-z0-9_-]{8,}",
    r"|(?i:bearer|basic)[ \t]+[A-Za-z0-9_.~+/=-]{8,})"
);
/// What stands between a name and its value, quoted and escaped as it may be.
macro_rules! assigned {
    ($names:literal, $before:literal) => {
        concat!(
            "(?i)(?:",
            $names,
            r#")[\w-]*\\*["']?\s*(?:=>|[:=])\s*"#,
            r#"(?:\\+"[^"\\]*\\*"?|"(?:[^"\\]|\\[^\n])*"?|'(?:[^'\\]|\\[^\n])*'?|"#,
            $before,
            r#"[^\s,;&"'}\])]+)"#
        )
    };
}
const TOKEN: &str = assigned!(
    "token|api[_-]?key|access[_-]?key|signature",
    r"(?:bearer\s+|basic\s+)?"
);
/// The value follows the name of a scheme.
const AUTHORIZATION: &str = assigned!("authorization", r"(?:[a-z][\w-]*[ \t]+)?");
const TOKEN_KEYS: &str = r"(?i)token|api[_-]?key|access[_-]?key|authorization|signature|cookie";
const PASSWORD: &str = assigned!("password|passwd|passphrase|passwort|pwd|secret", "");
const PASSWORD_IN_URL: &str = r"://[^\s/@:]*:[^\s/@]+@";
const PASSWORD_KEYS: &str = r"(?i)password|passwd|passphrase|passwort|pwd|secret";
const IPV4: &str = r"\d{1,3}(?:\.\d{1,3}){3,}";
const IPV6: &str = r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*";

/// The masks of a preset; `None` when there is none of this name.
pub(crate) fn masks(name: &str) -> Option<Vec<Mask>> {
    let plain = |regex, needs, least, check| made(name, regex).with(needs, least, check);
    Some(match name {
        "email" => vec![plain(EMAIL, AT, 3, all)],
        "card" => vec![plain(CARD, TWELVE_DIGITS, 12, card)],
        "iban" => vec![
            plain(IBAN, ACCOUNT, 10, all),
            plain(SMALL_IBAN, SMALL_ACCOUNT, 15, account),
        ],
        "token" => vec![
            plain(AUTHORIZATION, ASSIGNS | AUTHORIZATION_NAME, 15, all),
            keyed(plain(TOKEN, ASSIGNS | TOKEN_NAME, 7, all), TOKEN_KEYS),
            plain(KNOWN_TOKEN, TOKEN_BEGIN, 11, all),
        ],
        "password" => vec![
            // Before it is taken for a name and a value.
            plain(PASSWORD_IN_URL, COLON | AT, 6, all),
            keyed(
                plain(PASSWORD, ASSIGNS | PASSWORD_NAME, 5, all),
                PASSWORD_KEYS,
            ),
        ],
        "ip" => vec![plain(IPV6, COLONS, 3, ipv6), plain(IPV4, QUAD, 7, ipv4)],
        _ => return None,
    })
}

fn made(name: &str, regex: &str) -> Mask {
    Mask::new(name, regex, &format!("[{name}]")).expect("a preset's expression is right")
}

fn keyed(mask: Mask, keys: &str) -> Mask {
    mask.with_keys(keys)
        .expect("a preset's expression is right")
}

fn all(_: &str, found: Range<usize>) -> Option<Range<usize>> {
    Some(found)
}

/// 12 to 19 digits with the check digit of cards, between other digits only where
/// something separates them. A longer run goes as a whole if any part may be a card.
fn card(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    let digits: Vec<(usize, u32)> = text[found.clone()]
        .char_indices()
        .filter_map(|(at, letter)| Some((found.start + at, letter.to_digit(10)?)))
        .collect();
    let adjoins = |at: usize| {
        at > 0
            && digits
                .get(at)
                .is_some_and(|it| it.0 == digits[at - 1].0 + 1)
    };
    let is_long = digits.len() > CARD_DIGITS;
    let windows = (0..digits.len()).flat_map(|from| {
        let longest = (digits.len() - from).min(CARD_DIGITS);
        (12..=longest).rev().map(move |length| from..from + length)
    });
    let window = windows.take(MAX_WINDOWS).find(|window| {
        let is_apart = !adjoins(window.start) && !adjoins(window.end);
        (is_long || is_apart) && passes_luhn(&digits[window.clone()])
    })?;
    match is_long {
        true => Some(found),
        false => Some(digits[window.start].0..digits[window.end - 1].0 + 1),
    }
}

/// The most digits of a card.
const CARD_DIGITS: usize = 19;
/// How many parts of a long run of digits are looked at.
const MAX_WINDOWS: usize = 4_096;

fn passes_luhn(digits: &[(usize, u32)]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, (_, digit))| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, double) if double > 9 => double - 9,
            (_, double) => double,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The first account number with the right check digits that begins in what was found;
/// it may end behind it.
fn account(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let is_word = |at: usize| {
        let byte = bytes.get(at);
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    };
    let starts = found.filter(|start| *start == 0 || !is_word(start - 1));
    starts
        .take(MAX_STARTS)
        .find_map(|start| Some(start..account_end(bytes, start, is_word)?))
}

/// Where an account number ends that begins at `start`.
fn account_end(bytes: &[u8], start: usize, is_word: impl Fn(usize) -> bool) -> Option<usize> {
    let mut letters = (start..bytes.len())
        .map_while(|at| match bytes[at] {
            b' ' if bytes[at - 1] != b' ' => Some((at, None)),
            byte => Some((at, Some((byte as char).to_digit(36)?))),
        })
        .filter_map(|(at, digit)| Some((at, u64::from(digit?))))
        .take(LONGEST_ACCOUNT);
    // What is written as two digits is a letter.
    let shift = |digit: u64| if digit < 10 { 10 } else { 100 };
    let mut head = 0;
    for is_letter in [true, true, false, false] {
        let (_, digit) = letters.next()?;
        if (digit >= 10) != is_letter {
            return None;
        }
        head = head * shift(digit) + digit;
    }
    let (mut rest, mut end) = (0, None);
    for (count, (at, digit)) in (SHORTEST_ACCOUNT - 10..).zip(letters) {
        rest = (rest * shift(digit) + digit) % 97;
        let is_right = (rest * 1_000_000 + head) % 97 == 1;
        if count >= SHORTEST_ACCOUNT && is_right && !is_word(at + 1) {
            end = Some(at + 1);
        }
    }
    end
}

/// How many letters and digits an account number has.
const SHORTEST_ACCOUNT: usize = 15;
const LONGEST_ACCOUNT: usize = 34;

/// A longer row of numbers goes as a whole if any four of them are an address.
fn ipv4(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    let parts = text[found.clone()].split('.');
    let (mut good, mut is_address) = (0, false);
    for part in parts {
        good = if part.parse::<u8>().is_ok() {
            good + 1
        } else {
            0
        };
        is_address |= good >= 4;
    }
    is_address.then_some(found)
}

/// The address may begin behind a word and a colon.
fn ipv6(text: &str, found: Range<usize>) -> Option<Range<usize>> {
    let before = text[..found.start].chars().next_back();
    let after = text[found.end..].chars().next();
    let is_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    if is_word(after) {
        return None;
    }
    let candidate = &text[found.clone()];
    let behind_colons = candidate.match_indices(':').map(|(at, _)| at + 1);
    let starts = (!is_word(before)).then_some(0).into_iter();
    let (start, address) = starts
        .chain(behind_colons)
        .take(MAX_STARTS)
        .find_map(|start| Some((start, address_at(&candidate[start..])?)))?;
    let start = found.start + start;
    Some(start..start + address)
}

/// How many colons of a row of them are looked behind.
const MAX_STARTS: usize = 64;

/// How long the address is that a text consists of, but for a dot or a colon behind it.
fn address_at(text: &str) -> Option<usize> {
    let without_dots = text.trim_end_matches('.');
    let without_colon = without_dots.strip_suffix(':').unwrap_or(without_dots);
    [text, without_dots, without_colon]
        .into_iter()
        .find(|it| it.len() > 2 && it.len() <= MAX_ADDRESS && it.parse::<Ipv6Addr>().is_ok())
        .map(str::len)
}

/// The longest way to write an address.
const MAX_ADDRESS: usize = 45;

#[cfg(test)]
mod tests {
    use super::super::mask::Masks;
    use super::*;

    fn check(name: &str, text: &str, expected: &str) {
        let masks = Masks::new(masks(name).unwrap()).unwrap();
        assert_eq!(masks.apply(text, &mut |_| ()), expected, "{name}");
    }

    #[test]
    fn the_shortest_is_found_alone() {
        check("email", "a@b", "[email]");
        check("card", "400000000002", "[card]");
        check("iban", "NO93860111", "[iban]");
        check("token", "authorization:x", "[token]");
        check("token", "token=x", "[token]");
        check("token", "sk-abcdefgh", "[token]");
        check("password", "://:p@", "[password]");
        check("password", "pwd=x", "[password]");
        check("ip", "::1", "[ip]");
        check("ip", "1.2.3.4", "[ip]");
    }

    #[test]
    fn every_preset_has_masks_that_agree_with_each_other() {
        let all = NAMES.iter().flat_map(|name| masks(name).unwrap()).collect();
        Masks::new(all).unwrap();
        assert!(masks("emails").is_none());
    }

    #[test]
    fn mail_addresses() {
        check("email", "to anna.b+x@mail.example.org.", "to [email].");
        check("email", "<ä@ö.de>, \"c@d\"", "<[email]>, \"[email]\"");
        check("email", "@property and a @ b", "@property and a @ b");
    }

    #[test]
    fn cards() {
        check("card", "card 4111 1111 1111 1111 ok", "card [card] ok");
        check("card", "4111-1111-1111-1111", "[card]");
        check("card", "order 43 4111111111111111", "order 43 [card]");
        check("card", "a4111111111111111b", "a[card]b");
        check("card", "order 4111111111111112", "order 4111111111111112");
        check("card", "1700000000000000 us", "1700000000000000 us");
        let long = format!("{}4111111111111111", "7".repeat(10));
        let masks = Masks::new(masks("card").unwrap()).unwrap();
        assert!(!masks.apply(&long, &mut |_| ()).contains("4111111111111111"));
    }

    #[test]
    fn accounts() {
        check(
            "iban",
            "from DE89 3704 0044 0532 0130 00 to",
            "from [iban] to",
        );
        check("iban", "GB29NWBK60161331926819", "[iban]");
        check("iban", "to gb29nwbk60161331926819, x", "to [iban], x");
        check("iban", "de89 3704 0044 0532 0130 00 ok", "[iban] ok");
        check("iban", "ab12 de89370400440532013000", "ab12 [iban]");
        check("iban", "De89370400440532013000", "[iban]");
        check("iban", "no9386011117947", "[iban]");
        check("iban", "de88370400440532013000", "de88370400440532013000");
        check(
            "iban",
            "id_de89370400440532013000",
            "id_de89370400440532013000",
        );
        check("iban", "CODE12 is no account", "CODE12 is no account");
    }

    #[test]
    fn tokens() {
        check("token", "Authorization: Bearer abc.def-ghi", "[token]");
        check(
            "token",
            "got eyJhbGciOiJub25l.eyJzdWIi.c2ln here",
            "got [token] here",
        );
        check("token", "AKIAABCDEFGHIJKLMNOP", "[token]");
        check(
            "token",
            r#"{"api_key": "k 1", "n": 2}"#,
            r#"{"[token], "n": 2}"#,
        );
        check("token", "x_token=abc&y=1", "x_[token]&y=1");
        check("token", "Authorization: Token 9944b091 x", "[token] x");
        check("token", "authorization=9944b091, x", "[token], x");
        check("token", "the token was refused", "the token was refused");
    }

    #[test]
    fn passwords() {
        check(
            "password",
            "user=a password=geh heim",
            "user=a [password] heim",
        );
        check("password", "PWD: 'a b', x", "[password], x");
        check(
            "password",
            "SECRET_KEY=abc password1=x",
            "[password] [password]",
        );
        check(
            "password",
            r#"{"password": "ab\"cd", "n": 2}"#,
            r#"{"[password], "n": 2}"#,
        );
        check(
            "password",
            r#"{"body": "{\"password\": \"hunter2\", \"n\": 2}"}"#,
            r#"{"body": "{\"[password], \"n\": 2}"}"#,
        );
        check(
            "password",
            "postgres://me:pw@host/db",
            "postgres[password]host/db",
        );
        check("password", "password reset sent", "password reset sent");
    }

    #[test]
    fn addresses() {
        check("ip", "from 10.0.0.7:41234", "from [ip]:41234");
        check("ip", "[2001:db8::1]:80, fe80::1.", "[[ip]]:80, [ip].");
        check(
            "ip",
            "at 12:34:56.789, std::string",
            "at 12:34:56.789, std::string",
        );
        check("ip", "::ffff:10.1.2.3", "[ip]");
        check("ip", "[IPv6:2001:db8::1]", "[IPv6:[ip]]");
        check("ip", "client:2001:db8::1 999.10.0.0.1", "client:[ip] [ip]");
        check("ip", "version 999.1.2.3", "version 999.1.2.3");
    }
}
