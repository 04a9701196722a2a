//! The stack machine. Every operation makes at most one value, and operations are counted.

use std::collections::BTreeMap;
use std::io::Read;

use super::input::Input;
use super::opcode as op;
use super::{Global, Id, Pickle, StorageRef, Value};
use crate::error::PickleFault;
use crate::view::View;

/// Operations; a state dictionary takes some forty a tensor.
const MAX_OPERATIONS: u64 = 1 << 21;
/// Axes of a tensor, and bytes of the name of a storage: what calls copy has to be small.
const MAX_AXES: usize = 8;
const MAX_KEY: usize = 256;

type Result<T> = std::result::Result<T, PickleFault>;

/// Reads a pickle and does what it says, as far as that means tensors.
pub(super) fn run(reader: &mut impl Read) -> Result<Pickle> {
    let mut machine = Machine {
        input: Input::new(reader),
        values: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: BTreeMap::new(),
        storages: Vec::new(),
        keys: BTreeMap::new(),
    };
    for _ in 0..MAX_OPERATIONS {
        let [opcode] = machine.input.array()?;
        if opcode == op::STOP {
            let root = machine.pop()?;
            return Ok(Pickle { values: machine.values, root, storages: machine.storages });
        }
        machine.step(opcode)?;
    }
    Err(PickleFault::TooLarge { limit: MAX_OPERATIONS, unit: "operations" })
}

struct Machine<R> {
    input: Input<R>,
    values: Vec<Value>,
    stack: Vec<Id>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: BTreeMap<usize, Id>,
    storages: Vec<StorageRef>,
    /// Places of storages by key.
    keys: BTreeMap<String, usize>,
}

impl<R: Read> Machine<R> {
    fn step(&mut self, opcode: u8) -> Result<()> {
        match opcode {
            op::PROTO => drop(self.input.array::<1>()?),
            op::FRAME => drop(self.input.array::<8>()?),
            op::MARK => self.marks.push(self.stack.len()),
            op::POP => drop(self.pop()?),
            op::POP_MARK => drop(self.pop_mark()?),
            op::DUP => self.stack.push(self.top()?),
            op::BINPUT | op::LONG_BINPUT | op::MEMOIZE => self.memoize(opcode)?,
            op::BINGET | op::LONG_BINGET => {
                let key = self.memo_key(opcode == op::BINGET)?;
                let id = self.memo.get(&key).copied();
                self.stack.push(id.ok_or_else(|| malformed(format!("memo {key} is empty")))?);
            }
            op::APPEND | op::APPENDS => {
                let items = if opcode == op::APPEND { vec![self.pop()?] } else { self.pop_mark()? };
                let Value::List(list) = self.top_mut()? else {
                    return Err(malformed("no list to append to"));
                };
                list.extend(items);
            }
            op::SETITEM | op::SETITEMS => {
                let items = if opcode == op::SETITEM { self.pop_many(2)? } else { self.pop_mark()? };
                let Value::Dict(dict) = self.top_mut()? else {
                    return Err(malformed("no dictionary to set items of"));
                };
                dict.extend(pairs(&items)?);
            }
            op::BUILD => {
                // The attributes of an ordered dictionary (`_metadata`) say nothing of its tensors, nor do settings.
                self.pop()?;
                match self.top_mut()? {
                    Value::Dict(_) | Value::Other => {}
                    other => return Err(PickleFault::State(other.kind())),
                }
            }
            op::REDUCE => {
                let arguments = self.pop()?;
                let function = self.pop()?;
                let value = self.call(function, arguments)?;
                self.push(value);
            }
            op::NEWOBJ => {
                self.pop()?;
                let class = self.pop()?;
                let Value::Global(Global::Settings) = self.value(class) else {
                    return Err(PickleFault::Operation(op::name(opcode)));
                };
                self.push(Value::Other);
            }
            op::BINPERSID => {
                let id = self.pop()?;
                let value = self.storage(id)?;
                self.push(value);
            }
            _ => {
                let value = self.literal(opcode)?;
                self.push(value);
            }
        }
        Ok(())
    }

    /// The operations that make a value of the input or of the top of the stack alone.
    fn literal(&mut self, opcode: u8) -> Result<Value> {
        Ok(match opcode {
            op::NONE => Value::None,
            op::NEWTRUE => Value::Bool(true),
            op::NEWFALSE => Value::Bool(false),
            op::BININT => Value::Int(i32::from_le_bytes(self.input.array()?).into()),
            op::BININT1 => Value::Int(u8::from_le_bytes(self.input.array()?).into()),
            op::BININT2 => Value::Int(u16::from_le_bytes(self.input.array()?).into()),
            op::LONG1 => self.input.long()?.map_or(Value::Other, Value::Int),
            op::BINFLOAT => {
                self.input.array::<8>()?;
                Value::Other
            }
            op::SHORT_BINBYTES | op::BINBYTES => {
                let len = if opcode == op::BINBYTES { self.input.size()? } else { self.input.byte()? };
                self.input.vec(len)?;
                Value::Other
            }
            op::SHORT_BINUNICODE => Value::Text(self.input.byte().and_then(|len| self.input.text(len))?),
            op::BINUNICODE => Value::Text(self.input.size().and_then(|len| self.input.text(len))?),
            op::BINUNICODE8 => {
                let len = u64::from_le_bytes(self.input.array()?);
                Value::Text(self.input.text(len)?)
            }
            op::EMPTY_TUPLE => Value::Tuple(Vec::new()),
            op::TUPLE1 => Value::Tuple(self.pop_many(1)?),
            op::TUPLE2 => Value::Tuple(self.pop_many(2)?),
            op::TUPLE3 => Value::Tuple(self.pop_many(3)?),
            op::TUPLE => Value::Tuple(self.pop_mark()?),
            op::EMPTY_LIST => Value::List(Vec::new()),
            op::LIST => Value::List(self.pop_mark()?),
            op::EMPTY_DICT => Value::Dict(Vec::new()),
            op::DICT => Value::Dict(pairs(&self.pop_mark()?)?),
            op::GLOBAL | op::INST => {
                let (module, name) = (self.input.line()?, self.input.line()?);
                let global = find(&module, &name)?;
                if opcode == op::INST {
                    return Err(PickleFault::Calls(format!("{module}.{name}")));
                }
                Value::Global(global)
            }
            op::STACK_GLOBAL => {
                let [module, name] = self.pop_array()?;
                let (Value::Text(module), Value::Text(name)) = (self.value(module), self.value(name)) else {
                    return Err(malformed("a global without a name"));
                };
                Value::Global(find(module, name)?)
            }
            _ => return Err(PickleFault::Operation(op::name(opcode))),
        })
    }

    /// What a call would give: a description, as nothing is called.
    fn call(&mut self, function: Id, arguments: Id) -> Result<Value> {
        let Value::Global(function) = *self.value(function) else {
            return Err(PickleFault::Calls(self.value(function).kind().to_owned()));
        };
        let Value::Tuple(arguments) = self.value(arguments) else {
            return Err(malformed("a call without a tuple of arguments"));
        };
        match (function, arguments.as_slice()) {
            (Global::OrderedDict, []) | (Global::DefaultDict, _) => Ok(Value::Dict(Vec::new())),
            (Global::OrderedDict, [items]) => self.ordered_dict(*items),
            (Global::RebuildTensor, [storage, offset, shape, strides, ..]) => {
                let Value::Storage(storage) = *self.value(*storage) else {
                    return Err(malformed("a tensor without a storage"));
                };
                let (shape, strides) = (self.sizes(*shape)?, self.sizes(*strides)?);
                Ok(Value::Tensor(View { storage, offset: self.size(*offset)?, shape, strides }))
            }
            (Global::RebuildParameter, [tensor, ..]) => match self.value(*tensor) {
                Value::Tensor(view) => Ok(Value::Tensor(view.clone())),
                other => Err(malformed(format!("a parameter that is {}", other.kind()))),
            },
            (Global::Size, [sizes]) => {
                self.sizes(*sizes)?;
                Ok(self.value(*sizes).clone())
            }
            (Global::Plain, _) => Ok(Value::Other),
            (Global::Settings, _) => Err(PickleFault::Calls("a class of settings".to_owned())),
            (Global::Storage(_), _) => Err(PickleFault::Calls("a class of storages".to_owned())),
            _ => Err(malformed(format!("a call with {} arguments", arguments.len()))),
        }
    }

    /// A dictionary out of a list of pairs. The list is used up, so that many calls cannot multiply a large one.
    fn ordered_dict(&mut self, items: Id) -> Result<Value> {
        let Some(Value::List(items)) = self.values.get_mut(items) else {
            return Err(malformed("a dictionary that is not made of a list"));
        };
        let items = std::mem::take(items);
        let pair = |id: &Id| match self.value(*id) {
            Value::Tuple(pair) | Value::List(pair) => match pair.as_slice() {
                [key, value] => Ok((*key, *value)),
                _ => Err(malformed("a dictionary item that is no pair")),
            },
            _ => Err(malformed("a dictionary item that is no pair")),
        };
        items.iter().map(pair).collect::<Result<_>>().map(Value::Dict)
    }

    /// The storage that `("storage", class, key, location, count[, None])` names.
    fn storage(&mut self, id: Id) -> Result<Value> {
        let Value::Tuple(parts) = self.value(id) else { return Err(malformed("an unknown persistent id")) };
        let parts: Vec<&Value> = parts.iter().map(|&id| self.value(id)).collect();
        let (&Value::Global(Global::Storage(element)), Value::Text(key), &Value::Int(count)) =
            (match parts.as_slice() {
                [Value::Text(kind), class, key, _, count]
                | [Value::Text(kind), class, key, _, count, Value::None]
                    if kind == "storage" =>
                {
                    (*class, *key, *count)
                }
                _ => return Err(malformed("an unknown persistent id")),
            })
        else {
            return Err(malformed("an unknown persistent id"));
        };
        if key.len() > MAX_KEY {
            return Err(malformed("the name of a storage does not end"));
        }
        let count = usize::try_from(count).map_err(|_| malformed("a storage of negative size"))?;
        let storage = StorageRef { key: key.clone(), element, count };
        if let Some(&place) = self.keys.get(&storage.key) {
            return match self.storages.get(place) {
                Some(known) if *known == storage => Ok(Value::Storage(place)),
                _ => Err(malformed(format!("storage {} is described twice, differently", storage.key))),
            };
        }
        let place = self.storages.len();
        self.keys.insert(storage.key.clone(), place);
        self.storages.push(storage);
        Ok(Value::Storage(place))
    }

    fn size(&self, id: Id) -> Result<usize> {
        match self.value(id) {
            Value::Int(value) => usize::try_from(*value).ok(),
            _ => None,
        }
        .ok_or_else(|| malformed("a size that is no natural number"))
    }

    fn sizes(&self, id: Id) -> Result<Vec<usize>> {
        match self.value(id) {
            Value::Tuple(sizes) | Value::List(sizes) if sizes.len() <= MAX_AXES => {
                sizes.iter().map(|&id| self.size(id)).collect()
            }
            other => Err(malformed(format!("sizes that are {}", other.kind()))),
        }
    }

    fn memoize(&mut self, opcode: u8) -> Result<()> {
        let id = self.top()?;
        let key = match opcode {
            op::MEMOIZE => self.memo.len(),
            _ => self.memo_key(opcode == op::BINPUT)?,
        };
        self.memo.insert(key, id);
        Ok(())
    }

    fn memo_key(&mut self, short: bool) -> Result<usize> {
        let key = if short { self.input.byte()? } else { self.input.size()? };
        usize::try_from(key).map_err(|_| malformed("a memo that is too large"))
    }

    fn push(&mut self, value: Value) {
        self.stack.push(self.values.len());
        self.values.push(value);
    }

    fn value(&self, id: Id) -> &Value {
        self.values.get(id).unwrap_or(&Value::None)
    }

    /// Values below the last mark are out of reach.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Result<Id> {
        let reachable = self.stack.len() > self.floor();
        self.stack.last().copied().filter(|_| reachable).ok_or_else(empty_stack)
    }

    fn top_mut(&mut self) -> Result<&mut Value> {
        let id = self.top()?;
        self.values.get_mut(id).ok_or_else(empty_stack)
    }

    fn pop(&mut self) -> Result<Id> {
        let id = self.top()?;
        self.stack.pop();
        Ok(id)
    }

    fn pop_many(&mut self, count: usize) -> Result<Vec<Id>> {
        let start = self.stack.len().checked_sub(count).filter(|start| *start >= self.floor());
        Ok(self.stack.split_off(start.ok_or_else(empty_stack)?))
    }

    fn pop_array<const N: usize>(&mut self) -> Result<[Id; N]> {
        self.pop_many(N)?.try_into().map_err(|_| empty_stack())
    }

    fn pop_mark(&mut self) -> Result<Vec<Id>> {
        let start = self.marks.pop().filter(|start| *start <= self.stack.len());
        Ok(self.stack.split_off(start.ok_or_else(|| malformed("there is no mark"))?))
    }
}

fn find(module: &str, name: &str) -> Result<Global> {
    Global::find(module, name).ok_or_else(|| PickleFault::Calls(format!("{module}.{name}")))
}

fn pairs(items: &[Id]) -> Result<Vec<(Id, Id)>> {
    match items.as_chunks::<2>() {
        (pairs, []) => Ok(pairs.iter().map(|&[key, value]| (key, value)).collect()),
        _ => Err(malformed("a key without a value")),
    }
}

fn empty_stack() -> PickleFault {
    malformed("there is nothing on the stack")
}

fn malformed(reason: impl Into<String>) -> PickleFault {
    PickleFault::Malformed(reason.into())
}
