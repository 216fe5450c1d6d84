//! The grammar of optimizer expressions: words with arguments, and words in parentheses behind them.

use winnow::ascii::multispace0;
use winnow::combinator::{alt, delimited, eof, opt, preceded, repeat, separated, terminated};
use winnow::prelude::*;
use winnow::token::{any, none_of, one_of, take_while};

/// A name with an argument: a rule, or an option.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::optimizer) struct Word<'a> {
    pub(in crate::optimizer) name: &'a str,
    pub(in crate::optimizer) argument: Option<&'a str>,
}

/// A word, with words in parentheses for a guard.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item<'a> {
    pub(super) word: Word<'a>,
    pub(super) inner: Option<Vec<Word<'a>>>,
}

fn name<'a>(input: &mut &'a str) -> ModalResult<&'a str> {
    take_while(1.., |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_').parse_next(input)
}

/// Anything in quotation marks, which stay; or anything up to the next comma or parenthesis, with one level of parentheses
/// in it.
fn value<'a>(input: &mut &'a str) -> ModalResult<&'a str> {
    alt((quoted, unquoted)).parse_next(input)
}

fn quoted<'a>(input: &mut &'a str) -> ModalResult<&'a str> {
    let single = ('\'', take_while(0.., |c| c != '\''), '\'').take();
    let part = alt((('\\', any).void(), none_of('"').void()));
    let double = ('"', repeat::<_, _, (), _, _>(0.., part), '"').take();
    alt((single, double)).parse_next(input)
}

/// An argument without its quotation marks.
pub(super) fn unquote(argument: &str) -> String {
    let between = |mark| argument.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
    match (between('\''), between('"')) {
        (Some(text), _) => text.to_owned(),
        (_, Some(text)) => text.replace("\\\\", "\0").replace("\\\"", "\"").replace('\0', "\\"),
        _ => argument.to_owned(),
    }
}

fn unquoted<'a>(input: &mut &'a str) -> ModalResult<&'a str> {
    let plain = |c: char| !matches!(c, ',' | '(' | ')' | '\'' | '"') && !c.is_whitespace();
    let group = ('(', take_while(0.., plain), ')');
    (take_while(1.., plain), repeat::<_, _, (), _, _>(0.., (group, take_while(0.., plain)))).take().parse_next(input)
}

fn word<'a>(input: &mut &'a str) -> ModalResult<Word<'a>> {
    let argument = opt(preceded(one_of([':', '=']), value));
    delimited(multispace0, (name, argument), multispace0)
        .map(|(name, argument)| Word { name, argument })
        .parse_next(input)
}

fn item<'a>(input: &mut &'a str) -> ModalResult<Item<'a>> {
    let inner = delimited('(', separated(1.., word, ','), ')');
    (word, terminated(opt(inner), multispace0)).map(|(word, inner)| Item { word, inner }).parse_next(input)
}

pub(super) fn items<'a>(input: &mut &'a str) -> ModalResult<Vec<Item<'a>>> {
    terminated(separated(1.., item, ','), eof).parse_next(input)
}
