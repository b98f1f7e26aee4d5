//! Mouse and keyboard, as the browser gets them from the system.

use serde_json::{Value, json};

use super::{element::Target, page::Page};

/// More controls than any page has.
const MOST_TABS: usize = 600;

/// Where an element is clicked: its middle, when it is what the mouse would hit
/// there.
const PLACE: &str = "async function() {
    this.scrollIntoView({block: 'nearest', inline: 'nearest', behavior: 'instant'});
    await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    const box = this.getClientRects()[0];
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const hit = document.elementFromPoint(x, y);
    const label = this.closest('label');
    const is_it = hit && (this.contains(hit) || hit.contains(this) || (label && label.contains(hit)));
    return {x, y, hidden_by: is_it ? null : (hit ? hit.outerHTML.slice(0, 200) : 'nothing')};
}";

/// The same where no script may run: nothing moves while one looks.
const PLACE_AT_ONCE: &str = "function() {
    this.scrollIntoView({block: 'center', inline: 'nearest', behavior: 'instant'});
    const box = this.getClientRects()[0];
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const hit = document.elementFromPoint(x, y);
    const is_it = hit && (this.contains(hit) || hit.contains(this));
    return {x, y, hidden_by: is_it ? null : (hit ? hit.outerHTML.slice(0, 200) : 'nothing')};
}";

impl Page {
    /// Clicks an element in its middle.
    ///
    /// # Panics
    /// When it does not appear, or something else is in front of it.
    pub async fn click<'t>(&self, target: impl Into<Target<'t>>) {
        let (x, y) = self.place(target.into()).await;
        self.mouse("mouseMoved", x, y, 0).await;
        self.mouse("mousePressed", x, y, 1).await;
        self.mouse("mouseReleased", x, y, 1).await;
    }

    /// Moves the mouse over an element.
    ///
    /// # Panics
    /// As [`Page::click`].
    pub async fn hover<'t>(&self, target: impl Into<Target<'t>>) {
        let (x, y) = self.place(target.into()).await;
        self.mouse("mouseMoved", x, y, 0).await;
    }

    /// Drags over an element, from one part of its width to another (0 to 1).
    ///
    /// # Panics
    /// When it does not appear.
    pub async fn drag<'t>(&self, target: impl Into<Target<'t>>, from: f64, to: f64) {
        let edges = "function() { this.scrollIntoView({block: 'nearest'});
            const box = this.getBoundingClientRect(); return [box.x, box.width, box.y + box.height / 2] }";
        let edges = self.of(target, edges).await;
        let number = |index: usize| edges[index].as_f64().expect("a place");
        let x = |part: f64| number(0) + number(1) * part;
        let y = number(2);
        self.mouse("mouseMoved", x(from), y, 0).await;
        self.mouse("mousePressed", x(from), y, 1).await;
        for step in 1..=4 {
            let part = from + (to - from) * f64::from(step) / 4.0;
            self.mouse("mouseMoved", x(part), y, 1).await;
        }
        self.mouse("mouseReleased", x(to), y, 1).await;
    }

    /// Turns the wheel in the middle of the window, down by so many pixels.
    ///
    /// # Panics
    /// When the page has no window.
    pub async fn wheel(&self, down: i32) {
        let middle = self.evaluate("[innerWidth / 2, innerHeight / 2]").await;
        let (x, y) = (&middle[0], &middle[1]);
        let wheel = json!({"type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": down});
        self.call("Input.dispatchMouseEvent", wheel).await;
    }

    /// Replaces what a field holds by typing.
    ///
    /// # Panics
    /// When it does not appear.
    pub async fn fill<'t>(&self, target: impl Into<Target<'t>>, text: &str) {
        let target = target.into();
        self.click(target).await;
        self.of(target, "function() { this.select?.() }").await;
        if text.is_empty() {
            self.press("Delete").await;
        }
        self.type_text(text).await;
    }

    /// Types into what has the focus.
    pub async fn type_text(&self, text: &str) {
        for letter in text.chars() {
            self.press(letter.encode_utf8(&mut [0; 4])).await;
        }
    }

    /// Presses a key: a letter, or `Enter`, `Tab`, `Shift+Tab`, `Escape`,
    /// `ArrowDown` and so on.
    ///
    /// # Panics
    /// When the key has no name here.
    pub async fn press(&self, key: &str) {
        let (is_shifted, name) = match key.strip_prefix("Shift+") {
            Some(rest) => (true, rest),
            None => (false, key),
        };
        let mut event = key_of(name);
        if is_shifted {
            event["modifiers"] = SHIFT.into();
        }
        event["type"] = "keyDown".into();
        self.call("Input.dispatchKeyEvent", event.clone()).await;
        event["type"] = "keyUp".into();
        if let Some(event) = event.as_object_mut() {
            event.remove("text");
        }
        self.call("Input.dispatchKeyEvent", event).await;
    }

    /// Goes on with the Tab key until an element has the focus.
    ///
    /// # Panics
    /// When the focus never gets there, or cannot be seen there.
    pub async fn tab_to<'t>(&self, target: impl Into<Target<'t>>) {
        let target = target.into();
        let object = self.element(target).await;
        let is_focused = "function() { return document.activeElement === this }";
        for _ in 0..MOST_TABS {
            self.press("Tab").await;
            if self.on(&object, is_focused, json!([])).await == Ok(Value::Bool(true)) {
                self.assert_focus_is_seen(target, &object).await;
                return;
            }
        }
        panic!("the Tab key never reaches {target}");
    }

    async fn assert_focus_is_seen(&self, target: Target<'_>, object: &str) {
        let ring = "function() {
            const style = getComputedStyle(this);
            const box = this.getBoundingClientRect();
            const drawn = [...this.querySelectorAll('rect')].some(it => getComputedStyle(it).stroke !== 'none');
            return {
                is_ringed: this.matches(':focus-visible')
                    && (style.outlineStyle !== 'none' || style.boxShadow !== 'none' || drawn),
                is_on_screen: box.width > 0 && box.bottom > 0 && box.top < innerHeight,
            };
        }";
        let ring = self.on(object, ring, json!([])).await;
        let ring = ring.unwrap_or_else(|error| panic!("{target}: {error}"));
        assert_eq!(ring["is_ringed"], true, "the focus on {target} is not seen");
        assert_eq!(
            ring["is_on_screen"], true,
            "{target} has the focus off the screen"
        );
    }

    async fn place(&self, target: Target<'_>) -> (f64, f64) {
        let object = self.element(target).await;
        let script = if self.runs_scripts() {
            PLACE
        } else {
            PLACE_AT_ONCE
        };
        let place = self.on(&object, script, json!([])).await;
        let place = place.unwrap_or_else(|error| panic!("{target}: {error}"));
        let hidden_by = &place["hidden_by"];
        assert!(hidden_by.is_null(), "{target} is behind {hidden_by}");
        let number = |name: &str| place[name].as_f64().expect("a place");
        (number("x"), number("y"))
    }

    async fn mouse(&self, kind: &str, x: f64, y: f64, buttons: u8) {
        let is_press = kind != "mouseMoved";
        let event = json!({
            "type": kind, "x": x, "y": y, "buttons": buttons,
            "button": if is_press || buttons > 0 { "left" } else { "none" },
            "clickCount": u8::from(is_press),
        });
        self.call("Input.dispatchMouseEvent", event).await;
    }
}

const SHIFT: u8 = 8;

fn key_of(name: &str) -> Value {
    let named = |code: u8| json!({"key": name, "code": name, "windowsVirtualKeyCode": code});
    match name {
        "Enter" => {
            json!({"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"})
        }
        "Tab" => named(9),
        "Escape" => named(27),
        "PageUp" => named(33),
        "PageDown" => named(34),
        "End" => named(35),
        "Home" => named(36),
        "ArrowLeft" => named(37),
        "ArrowUp" => named(38),
        "ArrowRight" => named(39),
        "ArrowDown" => named(40),
        "Delete" => named(46),
        letter => {
            let mut letters = letter.chars();
            let (Some(first), None) = (letters.next(), letters.next()) else {
                panic!("no key is called {letter}");
            };
            let is_shifted = first.is_uppercase() || first == '?';
            // Only letters and digits have the codes of their capital.
            let upper = first.to_ascii_uppercase();
            let (code, number) = match upper {
                ' ' => ("Space".to_owned(), 32),
                '/' | '?' => ("Slash".to_owned(), 191),
                'A'..='Z' => (format!("Key{upper}"), u32::from(upper)),
                '0'..='9' => (format!("Digit{upper}"), u32::from(upper)),
                _ => (String::new(), 0),
            };
            json!({
                "key": letter, "text": letter, "code": code,
                "modifiers": if is_shifted { SHIFT } else { 0 },
                "windowsVirtualKeyCode": number,
            })
        }
    }
}
