//! The stack machine that a pickle is a program for.

use super::{
    PickleError,
    literal::{self, Number},
    opcode as op,
    reader::Reader,
};
use crate::decode::{
    document::{Document, Id, Items, Making, Value},
    limit::{self, Exceeded},
};

/// A memo number that nothing was put under.
const UNSET: Id = Id::MAX;

pub(super) struct Machine<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) document: Document<'a>,
    stack: Vec<Id>,
    /// Heights of the stack at the open marks.
    marks: Vec<u32>,
    memo: Vec<Id>,
    /// Values pushed and marks set so far.
    nodes: usize,
    /// Where the instruction at hand begins.
    at: usize,
}

impl<'a> Machine<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(bytes),
            document: Document::new(),
            stack: Vec::with_capacity(64),
            marks: Vec::with_capacity(8),
            memo: Vec::with_capacity(64),
            nodes: 0,
            at: 0,
        }
    }

    pub(super) fn run(mut self) -> Result<(Document<'a>, Id), PickleError> {
        loop {
            self.at = self.reader.at();
            match self.reader.byte()? {
                op::STOP => {
                    let outermost = self.pop()?;
                    return Ok((self.document, outermost));
                }
                opcode => self.step(opcode)?,
            }
        }
    }

    fn step(&mut self, opcode: u8) -> Result<(), PickleError> {
        match opcode {
            op::BINUNICODE => {
                let text = self.reader.counted4()?;
                self.push(Value::Text(text))
            }
            op::BINPUT => {
                let number = self.reader.byte()?;
                self.put(usize::from(number))
            }
            op::BINGET => {
                let number = self.reader.byte()?;
                self.recall(usize::from(number))
            }
            op::SHORT_BINUNICODE => {
                let text = self.reader.counted1()?;
                self.push(Value::Text(text))
            }
            op::MEMOIZE => self.put(self.memo.len()),
            op::NONE => self.push(Value::None),
            op::SHORT_BINSTRING => {
                let bytes = self.reader.counted1()?;
                self.push(Value::Bytes(bytes))
            }
            op::MARK => {
                self.count()?;
                self.marks.push(self.stack.len() as u32);
                Ok(())
            }
            op::PUT | op::LONG_BINPUT | op::GET | op::LONG_BINGET => self.remember(opcode),
            op::POP | op::POP_MARK | op::DUP => self.shuffle(opcode),
            op::PROTO => match self.reader.byte()? {
                0..=5 => Ok(()),
                protocol => Err(PickleError::Protocol(protocol)),
            },
            op::FRAME => self.reader.array::<8>().map(drop),
            _ => match self.scalar(opcode)? {
                Some(value) => self.push(value),
                None => self.compose(opcode),
            },
        }
    }

    /// Values made of others.
    fn compose(&mut self, opcode: u8) -> Result<(), PickleError> {
        match opcode {
            op::EMPTY_DICT => self.push(Value::Dict(Items::EMPTY)),
            op::EMPTY_LIST => self.push(Value::List(Items::EMPTY)),
            op::EMPTY_TUPLE => self.push(Value::Tuple(Items::EMPTY)),
            op::EMPTY_SET => self.push(Value::Set(Items::EMPTY)),
            op::SETITEMS | op::APPENDS | op::ADDITEMS => {
                let mark = self.mark()?;
                self.fill(opcode, mark)
            }
            op::SETITEM => self.fill(opcode, self.stack.len().saturating_sub(2)),
            op::APPEND => self.fill(opcode, self.stack.len().saturating_sub(1)),
            op::TUPLE1 => self.gather(self.below(1)?, Value::Tuple),
            op::TUPLE2 => self.gather(self.below(2)?, Value::Tuple),
            op::TUPLE3 => self.gather(self.below(3)?, Value::Tuple),
            op::TUPLE | op::LIST | op::FROZENSET | op::DICT => {
                let mark = self.mark()?;
                match opcode {
                    op::TUPLE => self.gather(mark, Value::Tuple),
                    op::LIST => self.gather(mark, Value::List),
                    op::FROZENSET => self.gather(mark, Value::Set),
                    _ if (self.stack.len() - mark) % 2 == 1 => Err(self.malformed("DICT")),
                    _ => self.gather(mark, Value::Dict),
                }
            }
            _ => self.object(opcode),
        }
    }

    /// What Python would run code for.
    fn object(&mut self, opcode: u8) -> Result<(), PickleError> {
        match opcode {
            op::GLOBAL => {
                let class = self.class("GLOBAL")?;
                self.push(class)
            }
            op::STACK_GLOBAL => {
                let name = self.pop()?;
                let module = self.pop()?;
                self.push(Value::StackGlobal(module, name))
            }
            op::REDUCE => self.make(Making::Call),
            op::NEWOBJ => self.make(Making::New),
            op::NEWOBJ_EX => {
                self.pop()?;
                self.make(Making::New)
            }
            op::OBJ | op::INST => {
                let class = match opcode {
                    op::INST => Some(self.class("INST")?),
                    _ => None,
                };
                let mark = self.mark()?;
                let class = match class {
                    Some(class) => self.document.push(class),
                    None if mark < self.stack.len() => self.stack.remove(mark),
                    None => return Err(self.malformed("OBJ")),
                };
                self.gather(mark, Value::Tuple)?;
                let args = self.pop()?;
                self.push_object(Making::New, class, args)
            }
            op::BUILD => {
                let state = self.pop()?;
                match self.document.get(self.top()?) {
                    Value::Object(number) => {
                        self.document.object_mut(number).state = Some(state);
                        Ok(())
                    }
                    _ => Err(self.malformed("BUILD")),
                }
            }
            op::PERSID => Err(self.outside("PERSID")),
            op::BINPERSID => Err(self.outside("BINPERSID")),
            op::EXT1 => Err(self.outside("EXT1")),
            op::EXT2 => Err(self.outside("EXT2")),
            op::EXT4 => Err(self.outside("EXT4")),
            op::NEXT_BUFFER => Err(self.outside("NEXT_BUFFER")),
            op::READONLY_BUFFER => Err(self.outside("READONLY_BUFFER")),
            opcode => Err(PickleError::UnknownOpcode {
                opcode,
                at: self.at,
            }),
        }
    }

    /// Adds everything above a place on the stack to the container below it.
    fn fill(&mut self, opcode: u8, from: usize) -> Result<(), PickleError> {
        let fence = self.fence();
        let (below, added) = match self.stack.split_at_checked(from) {
            Some((below, added)) if below.len() > fence => (below, added),
            _ => return Err(self.malformed("stack")),
        };
        let target = below[from - 1];
        let in_pairs = matches!(opcode, op::SETITEM | op::SETITEMS);
        if in_pairs && added.len() % 2 == 1 {
            return Err(self.malformed("SETITEMS"));
        }
        match (self.document.get(target), opcode) {
            (Value::Dict(items), op::SETITEM | op::SETITEMS) => {
                let items = self.document.extend(items, added);
                self.document.set(target, Value::Dict(items));
            }
            (Value::List(items), op::APPEND | op::APPENDS) => {
                let items = self.document.extend(items, added);
                self.document.set(target, Value::List(items));
            }
            (Value::Set(items), op::ADDITEMS) => {
                let items = self.document.extend(items, added);
                self.document.set(target, Value::Set(items));
            }
            (Value::Object(number), _) if in_pairs => {
                let pairs = self.document.object(number).pairs;
                self.document.object_mut(number).pairs = self.document.extend(pairs, added);
            }
            (Value::Object(number), _) => {
                let items = self.document.object(number).items;
                self.document.object_mut(number).items = self.document.extend(items, added);
            }
            _ => return Err(self.malformed("container")),
        }
        self.stack.truncate(from);
        Ok(())
    }

    /// Replaces everything above a place on the stack by one container.
    fn gather(&mut self, from: usize, kind: fn(Items) -> Value<'a>) -> Result<(), PickleError> {
        let items = self.document.extend(Items::EMPTY, &self.stack[from..]);
        self.stack.truncate(from);
        self.push(kind(items))
    }

    fn make(&mut self, making: Making) -> Result<(), PickleError> {
        let args = self.pop()?;
        let callable = self.pop()?;
        if making == Making::Call
            && self.is_latin1_encoder(callable)
            && let Some(items) = self.document.items(args)
            && let Some([text, _encoding]) = self.document.exactly(items)
            && self.document.text(text).is_some()
        {
            return self.push(Value::Latin1(text));
        }
        self.push_object(making, callable, args)
    }

    /// Module and name on two lines.
    fn class(&mut self, opcode: &'static str) -> Result<Value<'a>, PickleError> {
        let both = self.reader.two_lines()?;
        if both.len() > limit::NAME_BYTES {
            return Err(self.malformed(opcode));
        }
        Ok(Value::Global(both))
    }

    /// `_codecs.encode`: how Python 3 writes bytes for protocols below 3,
    /// always with `latin1`.
    fn is_latin1_encoder(&self, callable: Id) -> bool {
        match self.document.get(callable) {
            Value::Global(name) => name == b"_codecs\nencode",
            _ => false,
        }
    }

    fn push_object(&mut self, making: Making, class: Id, args: Id) -> Result<(), PickleError> {
        self.count()?;
        let object = self.document.push_object(making, class, args);
        self.stack.push(object);
        Ok(())
    }

    fn remember(&mut self, opcode: u8) -> Result<(), PickleError> {
        let number = match opcode {
            op::PUT | op::GET => match literal::integer(self.reader.line()?) {
                Some(Number::Small(number)) => usize::try_from(number).ok(),
                _ => None,
            },
            _ => Some(u32::from_le_bytes(self.reader.array()?) as usize),
        };
        let number = number.ok_or_else(|| self.malformed("memo number"))?;
        match opcode {
            op::PUT | op::LONG_BINPUT => self.put(number),
            _ => self.recall(number),
        }
    }

    fn shuffle(&mut self, opcode: u8) -> Result<(), PickleError> {
        match opcode {
            op::DUP => {
                let top = self.top()?;
                self.push_again(top)
            }
            op::POP if self.stack.len() > self.fence() => self.pop().map(drop),
            _ => {
                let mark = self.mark()?;
                self.stack.truncate(mark);
                Ok(())
            }
        }
    }

    fn put(&mut self, number: usize) -> Result<(), PickleError> {
        let top = self.top()?;
        if number == self.memo.len() && number < limit::NODES {
            self.memo.push(top);
            return Ok(());
        }
        if number >= limit::NODES {
            return Err(Exceeded::Nodes.into());
        }
        if number > self.memo.len() {
            self.memo.resize(number + 1, UNSET);
        }
        self.memo[number] = top;
        Ok(())
    }

    fn recall(&mut self, number: usize) -> Result<(), PickleError> {
        match self.memo.get(number) {
            Some(&id) if id != UNSET => self.push_again(id),
            _ => Err(PickleError::Memo(number)),
        }
    }

    fn push(&mut self, value: Value<'a>) -> Result<(), PickleError> {
        self.count()?;
        let id = self.document.push(value);
        self.stack.push(id);
        Ok(())
    }

    fn push_again(&mut self, id: Id) -> Result<(), PickleError> {
        self.count()?;
        self.stack.push(id);
        Ok(())
    }

    fn count(&mut self) -> Result<(), PickleError> {
        self.nodes += 1;
        if self.nodes > limit::NODES {
            return Err(Exceeded::Nodes.into());
        }
        Ok(())
    }

    fn pop(&mut self) -> Result<Id, PickleError> {
        if self.stack.len() <= self.fence() {
            return Err(self.malformed("stack"));
        }
        self.stack.pop().ok_or(PickleError::Short)
    }

    fn top(&self) -> Result<Id, PickleError> {
        match self.stack.last() {
            Some(&top) if self.stack.len() > self.fence() => Ok(top),
            _ => Err(self.malformed("stack")),
        }
    }

    /// Where the topmost `count` values begin.
    fn below(&self, count: usize) -> Result<usize, PickleError> {
        match self.stack.len().checked_sub(count) {
            Some(from) if from >= self.fence() => Ok(from),
            _ => Err(self.malformed("stack")),
        }
    }

    /// The stack's height at the last mark, which is taken away.
    fn mark(&mut self) -> Result<usize, PickleError> {
        match self.marks.pop() {
            Some(mark) => Ok(mark as usize),
            None => Err(self.malformed("mark")),
        }
    }

    /// The height below which the values belong to an open mark.
    fn fence(&self) -> usize {
        self.marks.last().map_or(0, |&mark| mark as usize)
    }

    pub(super) fn malformed(&self, name: &'static str) -> PickleError {
        PickleError::Malformed { name, at: self.at }
    }

    fn outside(&self, name: &'static str) -> PickleError {
        PickleError::Outside { name, at: self.at }
    }
}
